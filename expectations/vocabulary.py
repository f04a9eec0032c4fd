"""The expectations a suite may name, and for each the arguments it takes: nothing else is accepted.

Every `expect_…` is Great Expectations' own, by its own name; `no_row_where` is any rule that SQL can say of one row,
`unexpected_rows` any that it can say at all. The rest are ours: rules of any mart, which become `unexpected_rows` of
the mart whose suite names them.
"""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from expectations.arguments import Arguments, NoRowWhere, Text, UnexpectedRows
from expectations.each_mart import OF_EACH_MART


class OneColumn(Arguments):
    """A rule for each value of one column. `mostly` is the share of values that must keep it, 1 being all."""

    column: Text
    mostly: float = Field(default=1, gt=0, le=1)

    def columns(self) -> tuple[str, ...]:
        return (self.column,)


class ValueSet(OneColumn):
    """The column's values are, or are not, among these."""

    value_set: list[str | int | float] = Field(min_length=1)


class Unique(OneColumn):
    """No two rows have the same value in the column."""


class Pattern(OneColumn):
    """The column's values match, or do not match, a regular expression."""

    regex: Text


class Bounded(Arguments):
    """A figure lies between two bounds, or beyond one."""

    min_value: int | float | date | None = None
    max_value: int | float | date | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min_value is None and self.max_value is None:
            raise ValueError("give min_value, max_value or both: without a bound the check always passes")
        return self


class Between(OneColumn, Bounded):
    """The column's values lie between two bounds."""

    strict_min: bool = False
    strict_max: bool = False


class Lengths(OneColumn, Bounded):
    """The column's texts have between so many and so many characters."""

    min_value: int | None = None
    max_value: int | None = None


class ColumnList(Arguments):
    """The columns together make a key."""

    column_list: list[Text] = Field(min_length=2)

    def columns(self) -> tuple[str, ...]:
        return tuple(self.column_list)


class ColumnPair(Arguments):
    """A rule for two columns of the same row. A row that lacks either value is passed over."""

    column_A: Text  # noqa: N815 - their name
    column_B: Text  # noqa: N815
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"

    def columns(self) -> tuple[str, ...]:
        return (self.column_A, self.column_B)

    def given(self) -> dict[str, object]:
        return super().given() | {"ignore_row_if": self.ignore_row_if}


class OrderedColumnPair(ColumnPair):
    """Column A is greater than column B; with `or_equal`, or as great."""

    or_equal: bool = False


class RowCount(Bounded):
    """The table has between so many and so many rows."""

    min_value: int | None = None
    max_value: int | None = None


EXPECTATIONS: dict[str, type[Arguments]] = {
    "expect_column_values_to_not_be_null": OneColumn,
    "expect_column_values_to_be_null": OneColumn,
    "expect_column_values_to_be_unique": Unique,
    "expect_column_values_to_be_in_set": ValueSet,
    "expect_column_values_to_not_be_in_set": ValueSet,
    "expect_column_values_to_match_regex": Pattern,
    "expect_column_values_to_not_match_regex": Pattern,
    "expect_column_values_to_be_between": Between,
    "expect_column_value_lengths_to_be_between": Lengths,
    "expect_column_pair_values_a_to_be_greater_than_b": OrderedColumnPair,
    "expect_column_pair_values_to_be_equal": ColumnPair,
    "expect_compound_columns_to_be_unique": ColumnList,
    "expect_table_row_count_to_be_between": RowCount,
    "no_row_where": NoRowWhere,
    "unexpected_rows": UnexpectedRows,
    **OF_EACH_MART,
}
