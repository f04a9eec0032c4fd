"""Turns a block of text rows into typed rows and rejects, column by column, as the contract says."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingestion.contract import Column, Contract
from ingestion.reader import LINE

REJECT_SCHEMA = {
    LINE: pl.Int64,
    "column_name": pl.String,
    "reason_code": pl.String,
    "rule": pl.String,
    "row_as_sent": pl.String,
}
WIDEST = pl.Decimal(38, 8)


@dataclass(frozen=True)
class Conformed:
    """One block after conforming.

    `rows`: good rows, one column for each of the contract, and `source_line`.
    `rejects`: one row for each reason why a row is bad, as `REJECT_SCHEMA`.
    `held_keys`: keys of bad rows whose key can be read: what is known of them must stay.
    `control_sum`: exact sum of the control column over good and bad rows, None if one cannot be read.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    held_keys: pl.DataFrame
    control_sum: object | None


@dataclass(frozen=True)
class _Rule:
    column: Column
    reason_code: str
    rule: str
    is_broken: pl.Expr


class Conformer:
    """The rules of one contract, compiled once and applied to block after block."""

    def __init__(self, contract: Contract, pseudonym: Callable[[pl.Series], pl.Series]) -> None:
        """Compile. `pseudonym` turns a column of references into a column of keyed pseudonyms."""
        self._contract = contract
        self._pseudonym = pseudonym
        self._rules = [rule for column in contract.columns for rule in _rules(column)]

    def conform(self, block: pl.DataFrame) -> Conformed:
        """Split a block into typed rows and rejects. No row is lost: each ends in one or the other."""
        text = block.select(LINE, *(_clean(column).alias(column.header) for column in self._contract.columns))
        broken = text.select(rule.is_broken.fill_null(value=False).alias(str(i)) for i, rule in enumerate(self._rules))
        is_bad = (
            broken.select(pl.any_horizontal(pl.all())).to_series() if self._rules else pl.repeat(False, text.height)
        )
        typed = text.select(
            *(_typed(column).alias(column.name) for column in self._contract.columns),
            LINE,
        )
        good = typed.filter(~is_bad)
        pseudonymised = self._contract.pseudonymised
        if pseudonymised is not None:
            pseudonyms = self._pseudonym(good[pseudonymised.name])
            good = good.with_columns(pseudonyms.alias(str(pseudonymised.pseudonym_column)))
        return Conformed(
            rows=good,
            rejects=self._rejects(block, broken) if is_bad.any() else pl.DataFrame(schema=REJECT_SCHEMA),
            held_keys=self._held_keys(typed.filter(is_bad)),
            control_sum=self._control_sum(typed),
        )

    def _rejects(self, block: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
        as_sent = block.select(LINE, row_as_sent=pl.struct(pl.exclude(LINE)).struct.json_encode())
        found = [
            as_sent.filter(broken[str(number)]).with_columns(
                column_name=pl.lit(rule.column.header),
                reason_code=pl.lit(rule.reason_code),
                rule=pl.lit(rule.rule),
            )
            for number, rule in enumerate(self._rules)
            if broken[str(number)].any()
        ]
        return pl.concat(found).select(REJECT_SCHEMA.keys()).sort(LINE, maintain_order=True)

    def _held_keys(self, bad: pl.DataFrame) -> pl.DataFrame:
        return bad.select(column.name for column in self._contract.key).drop_nulls()

    def _control_sum(self, typed: pl.DataFrame) -> object | None:
        if self._contract.control_total is None:
            return None
        amounts = typed[self._contract.control_total.column].cast(WIDEST, strict=False)
        return None if amounts.null_count() else amounts.sum()


def _text(column: Column) -> pl.Expr:
    return pl.col(column.header)


def _clean(column: Column) -> pl.Expr:
    trimmed = pl.col(column.header).str.strip_chars()
    return pl.when(trimmed != "").then(trimmed)


def _typed(column: Column) -> pl.Expr:
    text = _text(column)
    match column.kind:
        case "integer":
            return text.cast(pl.Int64, strict=False)
        case "number":
            # In the contract's own scale PostgreSQL reads the text exactly; units are multiplied as decimals.
            amount = text.cast(WIDEST, strict=False)
            return amount * column.pounds_per_unit if column.pounds_per_unit != 1 else amount
        case "date":
            return text.str.to_date(column.date_format, strict=False)
        case "timestamp":
            return text.str.to_datetime(f"{column.date_format} %H:%M:%S", strict=False)
        case "boolean":
            return text.str.to_lowercase().replace_strict(
                {
                    "y": True,
                    "yes": True,
                    "true": True,
                    "1": True,
                    "n": False,
                    "no": False,
                    "false": False,
                    "0": False,
                },
                default=None,
                return_dtype=pl.Boolean,
            )
        case _ if column.codes:
            return _normalised(text).replace_strict(
                {_normalise(code): code for code in column.codes}, default=None, return_dtype=pl.String
            )
        case _:
            return text


def _rules(column: Column) -> list[_Rule]:
    """List every way a value of this column can be wrong, each with words for the sender."""
    text = _text(column)
    is_given = text.is_not_null()
    value = _typed(column)
    rules = []

    def rule(reason_code: str, words: str, is_broken: pl.Expr) -> None:
        rules.append(_Rule(column, reason_code, words, is_broken))

    if column.required or column.key_position:
        rule("missing", "must not be blank", text.is_null())
    match column.kind:
        case "integer":
            rule("not_a_whole_number", "must be a whole number", is_given & ~text.str.contains(r"^-?\d{1,18}$"))
        case "number":
            # An amount in thousands keeps its pounds and pence behind the point.
            places = column.scale + len(str(column.pounds_per_unit)) - 1
            rule(
                "not_a_number",
                f"must be a plain number with at most {places} decimal places",
                is_given & ~text.str.contains(rf"^-?\d{{1,14}}(\.\d{{1,{places}}})?$"),
            )
            limit = 10**column.whole_digits
            rule("too_large", f"must be below {limit:,} pounds", (value >= limit) | (value <= -limit))
        case "date":
            shape = r"^\d{2}/\d{2}/\d{4}$" if column.date_format.startswith("%d") else r"^\d{4}-\d{2}-\d{2}$"
            said_as = "dd/mm/yyyy" if column.date_format.startswith("%d") else "yyyy-mm-dd"
            rule(
                "not_a_date",
                f"must be a real date written {said_as}",
                is_given & (~text.str.contains(shape) | value.is_null()),
            )
        case "timestamp" | "boolean":
            rule(f"not_a_{column.kind}", f"must be a {column.kind}", is_given & value.is_null())
        case _ if column.codes:
            rule("unknown_code", f"must be one of: {', '.join(column.codes)}", is_given & value.is_null())
        case _:
            # PostgreSQL 15 takes a line of just \. for the end of the data, even inside quotes.
            hostile = text.str.contains(r"\x00") | text.str.contains(r"(?m)^\\\.\r?$")
            rule("control_characters", "must not hold NUL or a line of just \\.", is_given & hostile)
    if column.pattern:
        rule("wrong_shape", f"must match {column.pattern}", is_given & ~text.str.contains(column.pattern))
    if column.max_length:
        rule(
            "too_long",
            f"must have at most {column.max_length} characters",
            text.str.len_chars() > column.max_length,
        )
    if column.minimum is not None:
        rule("too_small", f"must be at least {column.minimum}", value < column.minimum)
    if column.maximum is not None:
        rule("too_large", f"must be at most {column.maximum}", value > column.maximum)
    if column.sql_type == "integer":
        rule("too_large", "must fit a whole number of nine digits", value.abs() > 2_147_483_647)
    return rules


def _normalised(text: pl.Expr) -> pl.Expr:
    """Compare codes without case, spaces and dashes: releases of the same system differ in these alone."""
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\s\p{Pd}_]+", " ").str.strip_chars()


def _normalise(code: str) -> str:
    return str(pl.select(_normalised(pl.lit(code))).item())
