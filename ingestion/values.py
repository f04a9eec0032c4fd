"""Reads the text of a column as what its contract says it is, in one expression for all of its rows."""

import polars as pl

from ingestion.contract import Column

WIDEST = pl.Decimal(38, 8)
TRUTHS = {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False}


def polars_type(column: Column) -> pl.DataType:
    """Give the type in which a column's values are sent to its column in history."""
    match column.kind:
        case "integer":
            return pl.Int32() if column.sql_type == "integer" else pl.Int64()
        case "number":
            return pl.Decimal(column.whole_digits + column.scale, column.scale)
        case "date":
            return pl.Date()
        case "timestamp":
            return pl.Datetime("us")
        case "boolean":
            return pl.Boolean()
        case _:
            return pl.String()


def text_name(column: Column) -> str:
    """Name the text of a column, beside which its value stands."""
    return f"text of {column.name}"


def text_of(column: Column) -> pl.Expr:
    """Give the text of a column, null where it is blank."""
    return pl.col(text_name(column))


def given(sent: pl.Expr) -> pl.Expr:
    """Take a blank text for none."""
    return pl.when(sent.str.len_bytes() > 0).then(sent)


def plain_number(column: Column, text: pl.Expr) -> pl.Expr:
    """Take an amount as accounts are written, such as `(£1,234.50)`, to a plain number."""
    if column.number_format == "plain":
        return text
    bare = text.str.replace_all(r"[£,\s()]", "")
    return pl.when(text.str.starts_with("(")).then("-" + bare).otherwise(bare)


def value_of(column: Column) -> pl.Expr:
    """Give the value of a column's text, null where it has none."""
    text = text_of(column)
    match column.kind:
        case "integer":
            return text.cast(polars_type(column), strict=False)
        case "number":
            number = plain_number(column, text)
            if column.pounds_per_unit * column.sign != 1:
                number = number.cast(WIDEST, strict=False) * (column.pounds_per_unit * column.sign)
            return number.cast(polars_type(column), strict=False)
        case "date":
            return text.str.to_date(column.date_format, strict=False)
        case "timestamp":
            return text.str.to_datetime(f"{column.date_format} %H:%M:%S", strict=False, time_unit="us")
        case "boolean":
            return text.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
        case _ if column.codes:
            return text.replace_strict({code: code for code in column.codes}, default=None, return_dtype=pl.String)
        case _:
            return text
