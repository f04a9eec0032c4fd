"""The ledger by period."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from tests.independent.definitions import seed
from tests.independent.extracts import Extracts


@dataclass(frozen=True)
class Spend:
    """One period of the ledger, in £ to the penny."""

    spend_gbp: Decimal
    income_gbp: Decimal
    net_gbp: Decimal
    line_count: int


def is_income(council_code: str, account: str) -> bool:
    """Tell whether an account holds income; "the longest matching prefix wins" (subjective_groups)."""
    matching = [
        (len(group["subjective_prefix"]), group["is_income"].lower() == "true")
        for group in seed("subjective_groups")
        if group["council_code"] == council_code and account.startswith(group["subjective_prefix"])
    ]
    return max(matching, default=(0, False))[1]


def ledger_spend(extracts: Extracts) -> dict[tuple[str, int], Spend]:
    """Add the ledger lines up by financial year and period.

    Spend is the sum of the expenditure accounts, income that of the income accounts "shown as a positive amount", net
    "spend less income: the sum of all lines" (kpi_ledger_spend).
    """
    spend: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    income: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    count: dict[tuple[str, int], int] = defaultdict(int)
    for line in extracts.rows("ledger.lines"):
        period = line.financial_year, line.period_number
        count[period] += 1
        if is_income(extracts.council_code, line.subjective_code):
            income[period] -= line.amount_gbp
        else:
            spend[period] += line.amount_gbp
    return {
        period: Spend(spend[period], income[period], spend[period] - income[period], lines)
        for period, lines in count.items()
    }
