"""How commands answer: facts in a line or as JSON, rows as a table."""

import json
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def print_table(rows: "Sequence[DataclassInstance]", when_empty: str) -> None:
    """Print rows as a table, one column a field."""
    if not rows:
        print(when_empty)
        return
    cells = [[field.name for field in fields(rows[0])], *([str(value) for value in astuple(row)] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_answer(facts: dict[str, object], as_json: bool) -> None:
    """Print facts in one line, as words or as a JSON object."""
    print(json.dumps(facts) if as_json else ", ".join(f"{name} {value}" for name, value in facts.items()))
