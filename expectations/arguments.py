"""What every check takes, whoever evaluates it: the form of arguments, and rules that SQL can say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Arguments(BaseModel):
    """The arguments of one check."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def columns(self) -> tuple[str, ...]:
        """Give the columns the check reads, to be compared with the table's own."""
        return ()

    def sources(self) -> tuple[str, ...]:
        """Give the source tables the check names, to be compared with the contracts."""
        return ()

    def given(self) -> dict[str, object]:
        """Give the arguments as the suite's author wrote them, defaults left out."""
        return self.model_dump(exclude_unset=True)


class UnexpectedRows(Arguments):
    """`query` gives one row for each break of the rule; `rows_checked` gives how many rows were looked at.

    Both are SQL that can be pasted into any client after `set carehouse.build_id = '<build>'`, with tables
    named in full (`candidate.kpi_values`). In a check with a `scope`, `{table}` stands for the table and `{keys}` for
    its numbers of records, as pairs of name and text.
    """

    query: Text
    rows_checked: Text | None = None


class NoRowWhere(Arguments):
    """No row of the mart makes `condition` true, which is SQL as it stands after `where`.

    `of` says, as SQL too, which rows it is about, and so out of how many; without it, all of them. Where both read
    only the columns in `by`, of few values, rows alike in these are judged once: a large mart is judged quickly.

    In a check with a `scope` it may name `publication_id` and `council_code`, and `{text}` stands for everything that
    is written in one row but for its numbers of records.
    """

    condition: Text
    of: Text | None = None
    by: list[Text] = []

    def columns(self) -> tuple[str, ...]:
        return tuple(self.by)


class RowsWhere(NoRowWhere):
    """A condition on the rows of `source`, each of which stands for as many rows of the table as `count` gives.

    All conditions on one source are counted in one reading of it.
    """

    source: Text
    count: Text


@dataclass(frozen=True)
class Mart:
    """What a rule of every mart is told of one: what its suite says of it.

    `delivered_by` are the source tables its rows come of, `month` the date that puts a row into a month, `amount`
    the column that is added up, `judged_by` the columns by which its conditions judge rows alike once.
    """

    name: str
    delivered_by: Sequence[str] = ()
    month: str | None = None
    amount: str | None = None
    judged_by: Sequence[str] = ()


class OfEachMart(Arguments):
    """A rule of ours that is written once for all marts. With a `scope` it may leave some out: `but_not`."""

    but_not: list[str] = []

    def rule_for(self, mart: Mart) -> UnexpectedRows | str:
        """Give the rule for one mart, or say why it does not apply to it."""
        return "the check leaves this table out" if mart.name in self.but_not else self.on(mart)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        """Give the rule for one mart, or say why it does not apply to it."""
        raise NotImplementedError
