"""The expectations a suite may name, and for each the arguments it takes: nothing else is accepted.

Every `expect_…` is Great Expectations' own, by its own name; `unexpected_rows` is any rule that SQL can say. The others
are ours: rules of any mart, which become `unexpected_rows` of the mart whose suite names them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, Self

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1)]


class Arguments(BaseModel):
    """The arguments of one check."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def columns(self) -> tuple[str, ...]:
        """Give the columns the check reads, to be compared with the table's own."""
        return ()

    def given(self) -> dict[str, object]:
        """Give the arguments as the suite's author wrote them, defaults left out."""
        return self.model_dump(exclude_unset=True)


class OneColumn(Arguments):
    """A rule for each value of one column. `mostly` is the share of values that must keep it, 1 being all."""

    column: Text
    mostly: float = Field(default=1, gt=0, le=1)

    def columns(self) -> tuple[str, ...]:
        return (self.column,)


class ValueSet(OneColumn):
    """The column's values are, or are not, among these."""

    value_set: list[str | int | float] = Field(min_length=1)


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


class UnexpectedRows(Arguments):
    """`query` gives one row for each break of the rule; `rows_checked` gives how many rows were looked at.

    Both are SQL that can be pasted into any client after `set carehouse.build_id = '<build>'`, with tables
    named in full (`candidate.kpi_values`). In a check `scope: every_table`, `{table}` stands for the table
    and `{text}` for everything written in one of its rows.
    """

    query: Text
    rows_checked: Text | None = None


class OfEachMart(Arguments):
    """A rule of ours that is written once for all marts."""

    def on(self, table: str, delivered_by: Sequence[str]) -> UnexpectedRows:
        """Give the rule for the mart `table`, whose rows come of the source tables `delivered_by`."""
        raise NotImplementedError


class RowsOfEveryCouncil(OfEachMart):
    """Every council that delivers all source tables in `delivered_by` of the suite has a row in the mart."""

    def on(self, table: str, delivered_by: Sequence[str]) -> UnexpectedRows:
        delivering = delivering_councils(delivered_by)
        mart = sql.Identifier("candidate", table).as_string()
        return UnexpectedRows(
            query=f"select council_code from ({delivering}) as delivering\n"
            f"where not exists (select from {mart} as shown where shown.council_code = delivering.council_code)",
            rows_checked=f"select count(*) from ({delivering}) as delivering",
        )


def delivering_councils(tables: Sequence[str]) -> str:
    """Give the SQL that lists the councils that deliver all of `tables`, as the build being judged had them.

    The latest accepted delivery that was known to the build decides, however old it is: a source that has fallen
    silent still delivers what it last said. One that left its table without a row delivers nothing.
    """
    wanted = sorted(set(tables))
    listed = sql.SQL(", ").join(sql.Literal(table) for table in wanted).as_string()
    return f"""
        select batch.council_code
        from audit.build_batch
        inner join audit.batch on build_batch.batch_id = batch.batch_id
        left join audit.batch_profile as standing
            on batch.batch_id = standing.batch_id and standing.kind = 'rows'
        where
            build_batch.build_id = current_setting('carehouse.build_id')::bigint
            and batch.source_name || '.' || batch.table_name in ({listed})
            and coalesce(standing.row_count, 1) > 0
        group by batch.council_code
        having count(*) = {len(wanted)}
    """


EXPECTATIONS: dict[str, type[Arguments]] = {
    "expect_column_values_to_not_be_null": OneColumn,
    "expect_column_values_to_be_null": OneColumn,
    "expect_column_values_to_be_unique": OneColumn,
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
    "unexpected_rows": UnexpectedRows,
    "rows_of_every_council_that_delivers": RowsOfEveryCouncil,
}
