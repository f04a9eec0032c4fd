"""How a value is spoilt, and what a loader should make of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingestion.contract import Column

# What a loader should do: reject the row; refuse the file; take the value for the code it means, and say so; take the
# value without the spaces around it; load it as sent; wait for the file, which was not sent.
REJECT, REFUSE, NORMALISE, TRIM, KEEP, WITHHOLD = (
    "reject_row",
    "refuse_file",
    "normalise_value",
    "trim_value",
    "keep",
    "withhold_file",
)

# Letters of the Cyrillic alphabet that look like ours.
LOOK_ALIKES = dict(zip("aceopACEOP", "\u0430\u0441\u0435\u043e\u0440\u0410\u0421\u0415\u041e\u0420", strict=True))
# Written so, an amount is read where the contract says accounts are written so.
ACCOUNTING = ("pound_sign", "brackets", "thousands_separator")
_BAD_SHAPE = {
    "integer": "not_a_whole_number",
    "number": "not_a_number",
    "date": "not_a_date",
    "timestamp": "not_a_timestamp",
    "boolean": "not_a_boolean",
}


@dataclass(frozen=True)
class Change:
    """One way to spoil a value: which kinds of column it befalls, and the text it leaves."""

    kinds: tuple[str, ...]
    spoil: Callable[[pl.Expr], pl.Expr]
    is_normalised: bool = False


def _instead(text: str) -> Callable[[pl.Expr], pl.Expr]:
    return lambda _: pl.lit(text)


def _look_alike(value: pl.Expr) -> pl.Expr:
    return value.str.replace_many(list(LOOK_ALIKES), list(LOOK_ALIKES.values()))


CHANGED_VALUES = {
    "impossible_date": Change(("date",), _instead("31/02/2018")),
    "american_date": Change(("date",), lambda value: value.str.replace(r"^\d\d/\d\d/", "10/31/")),
    "spreadsheet_zero_date": Change(("date",), _instead("00/01/1900")),
    "formula_error": Change(("integer", "number", "date", "boolean"), _instead("#REF!")),
    "broken_number": Change(("integer", "number"), _instead("1.23E+05")),
    "pound_sign": Change(("number",), lambda value: pl.format("£{}", value)),
    "brackets": Change(("number",), lambda value: pl.format("({})", value)),
    "thousands_separator": Change(("number",), _instead("1,234.50")),
    "unknown_code": Change(("code",), _instead("not a code")),
    "blank": Change(("required",), _instead("")),
    "look_alike_letters": Change(("code",), _look_alike, is_normalised=True),
    "capitals": Change(("code",), lambda value: value.str.to_uppercase(), is_normalised=True),
    "dashes": Change(("code",), lambda value: value.str.replace_all("_", "-"), is_normalised=True),
    "stray_spaces": Change(
        ("code", "integer", "number", "date", "boolean", "text"),
        lambda value: pl.format("  {} ", value),
        is_normalised=True,
    ),
    "lost_zeros": Change(("text",), lambda value: value.str.strip_chars_start("0")),
    "e_notation_text": Change(("text",), _instead("1.23E+05")),
}


def _kinds(column: Column) -> set[str]:
    kind = "code" if column.codes else "text" if column.kind == "string" else column.kind
    return {kind, "required"} if column.required or column.key_position else {kind}


def fits(kind: str, column: Column) -> bool:
    """Tell whether this fault can befall values of this column."""
    return bool(_kinds(column) & set(CHANGED_VALUES[kind].kinds))


def spoilt(kind: str, value: pl.Expr) -> pl.Expr:
    """Give the value as it stands in the file once spoilt."""
    return CHANGED_VALUES[kind].spoil(value)


def expected(kind: str, column: Column, value: str) -> tuple[str, str]:
    """Give what a loader should do with a value so spoilt, and the reason code of a reject."""
    if CHANGED_VALUES[kind].is_normalised:
        return NORMALISE if column.codes else TRIM, ""
    if kind == "blank":
        return REJECT, "missing"
    if column.codes:
        return REJECT, "unknown_code"
    if column.number_format == "accounting" and kind in ACCOUNTING:
        return KEEP, ""
    if column.kind in _BAD_SHAPE:
        return REJECT, _BAD_SHAPE[column.kind]
    if column.pattern and not re.search(column.pattern, value):
        return REJECT, "wrong_shape"
    return KEEP, ""
