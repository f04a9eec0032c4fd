"""Extracts of real contracts, as they would land: the shortest that are good."""

PERSONS = "PERSON_ID,NHS_ID,FORENAME,SURNAME,DATE_OF_BIRTH,DATE_OF_DEATH,GENDER,POST_CODE\n"
LEDGER = (
    "JOURNAL_ID,JOURNAL_LINE,POSTING_DATE,FINANCIAL_YEAR,PERIOD,COST_CENTRE,SUBJECTIVE,AMOUNT,DESCRIPTION,"
    "SOURCE_SYSTEM\n"
)
ANSWERS = "CHANGE_TYPE,FORM_ID,QUESTION_USER_CODE,WORKFLOW_STEP_ID,TEMPLATE_ID,DATE_ANSWER,LOOKUP_ANSWER\n"


def persons(*rows: str) -> str:
    """An extract of persons; enough good ones that one bad row is below the limit."""
    many = [f"{number},,Ann,Example,01/02/1950,,F,ZZ1 1ZZ" for number in range(1000, 1300)]
    return PERSONS + "\n".join([*many, *rows]) + "\n"


def ledger(rows: int) -> str:
    """A ledger extract of pennies."""
    lines = "".join(f"J{n // 5},{n + 1},01/10/2018,2018/19,7,C1,S1,0.01,,\n" for n in range(rows))
    return f"{LEDGER}{lines}TRAILER,{rows},{rows // 100}.{rows % 100:02d}\n"
