"""Great Expectations, asked for counts alone: no value that breaks a rule ever leaves the database.

Importing this module takes seconds, so nothing imports it before it evaluates.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.core.expectation_suite import ExpectationSuite

from expectations.counts import Counts, Rule, class_name
from expectations.readings import Reading, is_counted_by_query, readings

# Its messages quote rows.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


class RowCounts(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
    """Counts the rows that several queries give, in one, where the original also fetches some of them.

    The query gives a row for each: `place`, how many rows there are and, unless that is empty, out of how many.
    """

    metric_dependencies = ("unexpected_rows_query.table",)

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        counted = metrics["unexpected_rows_query.table"]
        found = {row["place"]: (row["checked"], row["failed"]) for row in counted}
        return {"success": not any(failed for _, failed in found.values()), "result": {"details": found}}


class Engine:
    """Evaluates rules on the tables of the candidate schema."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def evaluate(self, table: str | None, rules: Sequence[Rule]) -> list[Counts | None]:
        """Give what came of each rule on `table` (None: rules on no single table), None where nothing came.

        Great Expectations bundles rules into one query, so a rule that cannot run takes others down with it:
        those that had an error are asked again one by one.
        """
        together = self._ask(table, rules)
        return [
            self._ask(table, [rule])[0] if counts and counts.error and len(rules) > 1 else counts
            for rule, counts in zip(rules, together, strict=True)
        ]

    def _ask(self, table: str | None, rules: Sequence[Rule]) -> list[Counts | None]:
        expectations = [_expectation(rule, place) for place, rule in enumerate(rules) if not is_counted_by_query(rule)]
        if asked := readings(rules):
            expectations.append(_row_counts(asked))
        answers: dict[int, Counts] = {}
        suite = ExpectationSuite(name="rules", expectations=expectations)
        for result in self._batch(table).validate(suite, result_format=COUNTS_ONLY).results:
            places = result.expectation_config.meta["places"]
            details = (result.result or {}).get("details")
            if details is None:
                answers |= dict.fromkeys(places, _counts(result))
            else:
                answers |= {place: Counts(not failed, checked, failed) for place, (checked, failed) in details.items()}
        return [answers.get(place) for place in range(len(rules))]

    def _batch(self, table: str | None) -> Any:
        name = table or "no single table"
        try:
            asset = self._source.get_asset(name)
        except LookupError:
            if table:
                asset = self._source.add_table_asset(name=name, table_name=table)
            else:
                asset = self._source.add_query_asset(name=name, query="select 1 as one")
            asset.add_batch_definition_whole_table("whole")
        return asset.get_batch_definition("whole").get_batch()


@contextmanager
def open_engines(address: str, session: Mapping[str, str], count: int) -> Iterator[list[Engine]]:
    """Open engines on the database at `address`, with the server settings of `session` on every connection.

    Each may be used by one thread at a time. On leaving, all connections are closed: one left open would keep the
    candidate tables from being published.
    """
    settings = {**session, "search_path": "candidate"}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # It would write all it knows as YAML for each table it is told of, and keep it nowhere.
    context._save_project_config = lambda: None
    sources = [
        context.data_sources.add_postgres(
            f"candidate_{number}",
            connection_string=address,
            create_temp_table=False,
            kwargs={"connect_args": {"options": options}},
        )
        for number in range(count)
    ]
    try:
        yield [Engine(source) for source in sources]
    finally:
        for source in sources:
            source.get_execution_engine().close()
            source.get_engine().dispose()


def _row_counts(asked: Sequence[Reading]) -> Any:
    return RowCounts(
        unexpected_rows_query=_plain("\nunion all\n".join(reading.query for reading in asked)),
        meta={"places": [place for reading in asked for place in reading.places]},
    )


def _expectation(rule: Rule, place: int) -> Any:
    meta = {"places": [place]}
    name = "".join(part.capitalize() for part in rule.expectation.split("_"))
    return getattr(gxe, name)(**rule.arguments.given(), meta=meta)


def _plain(query: str) -> str:
    """Keep a query from being read as a template: braces by Great Expectations, colons by SQLAlchemy."""
    escaped = query.replace("{", "{{").replace("}", "}}")
    escaped = re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", escaped)
    # Great Expectations complains on standard output about a query that has no {batch}.
    return escaped + "\n/* {batch} */"


def _counts(result: Any) -> Counts:
    found = result.result
    if "unexpected_count" in found:
        checked = found.get("element_count")
        if checked is not None:
            checked -= found.get("missing_count") or 0
        return Counts(bool(result.success), checked, found["unexpected_count"] or 0)
    if isinstance(found.get("observed_value"), int):
        return Counts(bool(result.success), found["observed_value"], None)
    return Counts(False, None, None, error=class_name(result.exception_info))
