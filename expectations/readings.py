"""The queries that count the rows which break rules that are SQL, several rules in one reading where that can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expectations.arguments import RowsWhere, UnexpectedRows
from expectations.counts import Rule


@dataclass(frozen=True)
class Reading:
    """A query that gives, for each rule in `places`, its place, how many rows break it and out of how many."""

    query: str
    places: tuple[int, ...]


def is_counted_by_query(rule: Rule) -> bool:
    """Say whether a rule is SQL, and so of no table for Great Expectations."""
    return isinstance(rule.arguments, RowsWhere | UnexpectedRows)


def readings(rules: Sequence[Rule]) -> list[Reading]:
    """Give the queries that count for those of `rules` that are SQL, one for all conditions on one source."""
    asked = []
    conditions: dict[tuple[str, str], dict[int, RowsWhere]] = {}
    for place, rule in enumerate(rules):
        match rule.arguments:
            case RowsWhere() as where:
                conditions.setdefault((where.source, where.count), {})[place] = where
            case UnexpectedRows() as rows:
                query = (
                    f"select {place} as place, (select count(*) from (\n{_only(rows.query)}\n) as found) as failed, "
                    f"({_only(rows.rows_checked or 'null')}\n)::bigint as checked"
                )
                asked.append(Reading(query, (place,)))
    return asked + [_of_one_source(*source, of_source) for source, of_source in conditions.items()]


def _of_one_source(source: str, count: str, conditions: Mapping[int, RowsWhere]) -> Reading:
    counts = []
    for place, rule in conditions.items():
        checked = f"{count} filter (where\n{rule.of}\n)" if rule.of else "null::bigint"
        failed = f"{count} filter (where (\n{rule.of or 'true'}\n) and (\n{rule.condition}\n))"
        counts.append(f"{failed} as failed_{place}, {checked} as checked_{place}")
    each = ", ".join(f"({place}, failed_{place}, checked_{place})" for place in conditions)
    query = (
        "select given.place, coalesce(given.failed, 0)::bigint as failed, given.checked::bigint as checked "
        f"from (select {', '.join(counts)} from {source} as judged) as counted "
        f"cross join lateral (values {each}) as given (place, failed, checked)"
    )
    return Reading(query, tuple(conditions))


def _only(query: str) -> str:
    return query.strip().rstrip(";")
