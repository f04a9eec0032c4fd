"""Every way in which a value can be wrong, as an expression over its column and in words for its sender."""

from dataclasses import dataclass

import polars as pl

from ingestion.contract import Column, Contract
from ingestion.values import text_of

SHAPED = ("integer", "number", "date", "timestamp")
SPREADSHEET_ERRORS = (
    *("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"),
    *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#BUSY!", "#GETTING_DATA"),
)


@dataclass(frozen=True)
class Rule:
    """One way in which a value of a column can be wrong."""

    column: Column
    reason_code: str
    rule: str
    is_broken: pl.Expr


def is_free_text(column: Column) -> bool:
    """Say whether a column may hold any text."""
    return column.kind == "string" and not column.codes


def suspect(column: Column, *, may_hold_nul: bool) -> pl.Expr:
    """Say of a whole column at once whether any value may break a rule: true too often, never too seldom.

    Days, and what follows a pattern, come again and again in a block: to look at each once is quicker.
    """
    text, value = text_of(column), pl.col(column.name)
    looks = [value.null_count() > text.null_count()]
    if column.required or column.key_position:
        looks.append(text.null_count() > 0)
    if column.kind == "integer":
        # Of what is not shaped like one, reading it as one takes this alone.
        looks.append(text.str.starts_with("+").any())
    elif column.kind == "number":
        looks.append(~text.str.contains(_shape(column)).all())
    elif column.kind in SHAPED:
        looks.append(~text.unique().str.contains(_shape(column)).all())
    if is_free_text(column):
        looks.append(text.str.starts_with("#").any())
        if may_hold_nul:
            looks.append(text.str.contains("\0", literal=True).any())
    if column.pattern:
        looks.append(~text.unique().str.contains(_ascii(column.pattern)).all())
    if column.max_length:
        looks.append(text.str.len_bytes().max() > column.max_length)
    if column.minimum is not None:
        looks.append(value.min() < column.minimum)
    if column.maximum is not None:
        looks.append(value.max() > column.maximum)
    return pl.any_horizontal(looks)


def _may_be_blank(contract: Contract, column: Column) -> pl.Expr:
    """A row of a change feed that deletes need say no more than which row."""
    if column.key_position:
        return pl.lit(value=False)
    if contract.operation_column and column.name != contract.operation_column:
        is_deletion = pl.col(contract.operation_column) == "delete"
        return is_deletion.fill_null(value=False) | pl.lit(value=not column.required)
    return pl.lit(value=not column.required)


def rules(contract: Contract, column: Column) -> list[Rule]:
    """List every way a value of this column can be wrong."""
    found = _of_kind(column) + _of_options(column)
    if column.required or column.key_position:
        is_missing = text_of(column).is_null() & ~_may_be_blank(contract, column)
        found.insert(0, Rule(column, "missing", "must not be blank", is_missing))
    return found


def _of_kind(column: Column) -> list[Rule]:
    text, value = text_of(column), pl.col(column.name)
    is_given = text.is_not_null()
    is_shaped = text.str.contains(_shape(column)) if column.kind in SHAPED else pl.lit(value=True)
    found: dict[str, tuple[str, pl.Expr]] = {}
    match column.kind:
        case "integer":
            found["not_a_whole_number"] = ("must be a whole number, digits alone", is_given & ~is_shaped)
            found["too_large"] = (f"must fit the type {column.sql_type}", is_shaped & value.is_null())
        case "number":
            found["not_a_number"] = (_number_in_words(column), is_given & ~is_shaped)
            found["too_large"] = (f"must be below {10**column.whole_digits:,} pounds", is_shaped & value.is_null())
        case "date" | "timestamp":
            found[f"not_a_{column.kind}"] = (_day_in_words(column), is_given & (~is_shaped | value.is_null()))
        case "boolean":
            found["not_a_boolean"] = ("must be Y or N", is_given & value.is_null())
        case _ if column.codes:
            found["unknown_code"] = (f"must be one of: {', '.join(column.codes)}", is_given & value.is_null())
        case _:
            # PostgreSQL cannot keep it.
            found["control_characters"] = ("must not hold a NUL", text.str.contains("\0", literal=True))
            # A pattern tells it already.
            if not column.pattern:
                found["spreadsheet_error"] = ("must not be the error of a formula", text.is_in(SPREADSHEET_ERRORS))
    return [Rule(column, code, words, is_broken) for code, (words, is_broken) in found.items()]


def _of_options(column: Column) -> list[Rule]:
    text, value = text_of(column), pl.col(column.name)
    found = []

    def rule(reason_code: str, words: str, is_broken: pl.Expr) -> None:
        found.append(Rule(column, reason_code, words, is_broken))

    if column.pattern:
        is_other = text.is_not_null() & ~text.str.contains(_ascii(column.pattern))
        rule("wrong_shape", f"must be {column.pattern_in_words}", is_other)
    if column.max_length:
        is_longer = text.str.len_chars() > column.max_length
        rule("too_long", f"must have at most {column.max_length} characters", is_longer)
    if column.minimum is not None:
        rule("too_small", f"must be at least {column.minimum}", value < column.minimum)
    if column.maximum is not None:
        rule("too_large", f"must be at most {column.maximum}", value > column.maximum)
    return found


def _shape(column: Column) -> str:
    """Give the pattern of the text before it is read: what reads numbers and dates takes more than we do."""
    day = "[0-9]{2}/[0-9]{2}/[0-9]{4}" if column.date_format.startswith("%d") else "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    match column.kind:
        case "integer":
            return "^-?[0-9]+$"
        case "date":
            return f"^{day}$"
        case "timestamp":
            return f"^{day} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}$"
        case _:
            point = rf"(\.[0-9]{{1,{_places(column)}}})?"
            if column.number_format == "plain":
                return f"^-?[0-9]+{point}$"
            amount = f"([0-9]+|[0-9]{{1,3}}(,[0-9]{{3}})+){point}"
            return rf"^(-?£?{amount}|£-{amount}|\(£?{amount}\))$"


def _ascii(pattern: str) -> str:
    """Let a digit be one of ours: other scripts have digits that no other system reads."""
    return pattern.replace(r"\d", "[0-9]")


def _places(column: Column) -> int:
    # An amount in thousands keeps its pounds and pence behind the point.
    return column.scale + len(str(column.pounds_per_unit)) - 1


def _number_in_words(column: Column) -> str:
    if column.number_format == "plain":
        return (
            f"must be a plain number with at most {_places(column)} decimal places, without £, thousands separators "
            "or brackets"
        )
    return f"must be an amount with at most {_places(column)} decimal places, such as 1,234.50 or (£1,234.50)"


def _day_in_words(column: Column) -> str:
    written = "dd/mm/yyyy" if column.date_format.startswith("%d") else "yyyy-mm-dd"
    if column.kind == "timestamp":
        return f"must be a real date and time written {written} hh:mm:ss"
    return f"must be a real date written {written}"
