"""Shows an explanation to people: in words, or as CSV with a row for each line of a file behind the figure."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from textwrap import fill
from typing import Any, TextIO

from carehouse.explain import Contribution, Explanation, Source

WIDTH = 118
COLUMNS = (
    "publication_id",
    "council_code",
    "measure_id",
    "period_type",
    "period_end_date",
    "breakdown_type",
    "breakdown_value",
    "counted_on_date",
    "fact_name",
    "fact_key",
    "times_counted",
    "numerator",
    "denominator",
    "source_table",
    "source_key",
    "known_from_date",
    "batch_id",
    "file_name",
    "line_number",
    "archived_name",
    "content_sha256",
)
# Said of the figure already, or of the publication as a whole.
NOT_REPEATED = ("publication_id", "council_code")


def write_lines(found: Explanation, to: TextIO) -> None:
    """Write a row for each line of a file; a contribution whose fact names no source has one row without it."""
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(COLUMNS)
    for contribution in found.contributions:
        for source in contribution.sources or (None,):
            writer.writerow(_cells(found, contribution, source))


def _cells(found: Explanation, contribution: Contribution, source: Source | None) -> list[Any]:
    return [
        *(found.figure[column] for column in COLUMNS[:7]),
        contribution.counted_on,
        contribution.fact_name,
        contribution.fact_key,
        contribution.times,
        _plain(contribution.numerator),
        _plain(contribution.denominator),
        *(
            (
                source.table,
                source.key,
                source.known_from,
                source.batch_id,
                source.file_name,
                source.line_number,
                source.archived_name,
                source.content_sha256,
            )
            if source
            else ("",) * 8
        ),
    ]


def print_explanation(found: Explanation, to: TextIO) -> None:
    """Write the figure, what it means, whether its rows add up to it, and the rows with their facts and lines."""
    for line in _lines(found):
        print(line, file=to)


def _lines(found: Explanation) -> Iterator[str]:
    figure, measure = found.figure, found.measure
    yield f"{figure['measure_id']} {measure['measure_name']}"
    where = figure["council_code"]
    if figure["breakdown_type"] != "council":
        where += f", {figure['breakdown_type']} {figure['breakdown_value']}"
    yield f"{where}, {figure['period_label']} ({figure['period_type']})"
    yield f"  value        {_shown(figure['value'], figure.get('value_text'))} {figure['unit_code']}"
    yield f"  numerator    {_shown(figure['numerator'])}  {measure['numerator_label'] or ''}".rstrip()
    if figure["denominator"] is not None:
        yield f"  denominator  {_shown(figure['denominator'])}  {measure['denominator_label'] or ''}".rstrip()
    if figure.get("base_numerator") is not None:
        yield f"  base year    {_shown(figure['base_numerator'])}"
    if figure["target_to_date"] is not None:
        yield f"  target       {_shown(figure['target_to_date'])} to date, {_shown(figure['target'])} for the year"
    yield f"  publication  {figure['publication_id']}, as known on {found.as_at_date}; {figure['data_status_code']}"
    yield fill(f"Definition: {measure['definition']}", WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield _verdict(found)
    for contribution in found.contributions:
        yield ""
        yield from _contribution(contribution)
    left = found.contribution_count - len(found.contributions)
    if left:
        yield ""
        yield f"and {left} more: --rows shows more of them, --csv lists all."


def _verdict(found: Explanation) -> str:
    if found.is_stated:
        return f"A return or paper states it; {found.contribution_count} say so."
    sums = f"{found.contribution_count} rows: numerator {_shown(found.numerator or Decimal())}"
    if found.figure["denominator"] is not None:
        sums += f", denominator {_shown(found.denominator or Decimal())}"
    if found.base_numerator is not None:
        sums += f", base year {_shown(found.base_numerator)}"
    return f"{sums}; this is the figure." if found.adds_up else f"{sums}. THIS IS NOT THE FIGURE AS PUBLISHED."


def _contribution(contribution: Contribution) -> Iterator[str]:
    amounts = f"adds {_shown(contribution.numerator)}"
    if contribution.denominator is not None:
        amounts += f" of {_shown(contribution.denominator)}"
    if contribution.times != 1:
        amounts += f", counted {contribution.times} times (base year)"
    yield f"{contribution.counted_on}  {contribution.fact_name} {contribution.fact_key}  {amounts}"
    told = [
        f"{name} {value}" for name, value in contribution.fact.items() if value is not None and name not in NOT_REPEATED
    ]
    if told:
        yield fill(", ".join(told), WIDTH, initial_indent="  ", subsequent_indent="    ")
    for source in contribution.sources:
        yield (
            f"  from {source.table} {source.key}: {source.file_name}, line {source.line_number} "
            f"(batch {source.batch_id}, known from {source.known_from}, archived as {source.archived_name})"
        )
    if not contribution.sources:
        yield "  from no row that a source names"


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def _shown(number: Decimal | None, words: str | None = None) -> str:
    if number is None:
        return words or "none"
    return f"{number.normalize():,f}"
