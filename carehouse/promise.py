"""What readers were promised of a mart, as it is written down, and what would break it.

A promise is kept in a file of its own, `dbt_project/published/<mart>.yml`; of the views made in SQL in
`carehouse/sql/published/`. It may grow. What it says is taken back only with the mart itself, after the day announced.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from carehouse import strict_yaml
from carehouse.errors import CarehouseError

HOW_TO = "docs/how-to/change-a-published-mart.md"
# Long enough for a report that is refreshed once a quarter to fail while somebody still knows why.
NOTICE = timedelta(days=90)


class PromiseError(CarehouseError):
    """A mart would no longer be what readers were promised."""


@dataclass(frozen=True)
class Promise:
    """One mart: its columns in order, each with its type and, where it is never empty, `not null`; its key."""

    mart: str
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()
    deprecation_date: date | None = None

    @classmethod
    def read(cls, mart: str, text: str) -> "Promise":
        """Read the file of a promise."""
        said: Any = strict_yaml.read(text)
        return cls(mart, said["columns"], tuple(said["key"]), said.get("deprecation_date"))

    def text(self) -> str:
        """Write it down."""
        lines = [
            f"# What readers were promised of mart.{self.mart}. `carehouse contracts render` only adds to it.",
            f"key: [{', '.join(self.key)}]",
        ]
        if self.deprecation_date:
            lines.append(f"deprecation_date: {self.deprecation_date}")
        lines.append("columns:")
        lines += [f"  {name}: {kind}" for name, kind in self.columns.items()]
        return "\n".join(lines) + "\n"


def today() -> date:
    """Give the day in England, by which readers count."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def read_all(folder: Path) -> dict[str, Promise]:
    """Read every promise in a folder, by mart.

    Raises:
        PromiseError: a file is not one; the message names it.
    """
    read = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            read[path.stem] = Promise.read(path.stem, path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise PromiseError(f"{path} is not a promise: it needs key and columns. Restore it from git.") from error
    return read


def breaks(promised: Promise, now: Promise, on: date) -> Iterator[str]:
    """Say, one sentence each, what of a promise would no longer hold."""
    mart = f"mart.{promised.mart}"
    for column, kind in promised.columns.items():
        if column not in now.columns:
            yield f"{mart}: column {column} was {kind} and would be gone"
        elif now.columns[column] not in (kind, f"{kind} not null"):
            yield f"{mart}: column {column} was {kind} and would be {now.columns[column]}"
    kept = [column for column in now.columns if column in promised.columns]
    if list(now.columns)[: len(kept)] != [column for column in promised.columns if column in now.columns]:
        yield f"{mart}: columns would change places; new ones come after those that are published"
    if promised.key and set(promised.key) != set(now.key):
        yield f"{mart}: one row was told by ({', '.join(promised.key)}) and would be by ({', '.join(now.key)})"
    if now.deprecation_date and now.deprecation_date != promised.deprecation_date:
        if promised.deprecation_date and now.deprecation_date < promised.deprecation_date:
            yield f"{mart}: was to stay until {promised.deprecation_date} and would go after {now.deprecation_date}"
        elif not promised.deprecation_date and now.deprecation_date < on + NOTICE:
            yield f"{mart}: would go after {now.deprecation_date}; readers have {NOTICE.days} days' notice"


def refuse(broken: list[str]) -> None:
    """Refuse what is broken, if anything is, with what to do instead.

    Raises:
        PromiseError: there is something in the list.
    """
    if broken:
        listed = "\n".join(f"  {each}" for each in broken)
        raise PromiseError(
            f"What readers were promised would break:\n{listed}\n"
            "Leave what is published as it is and append columns, or make a new version of the mart beside it and give "
            f"the old one a deprecation date: {HOW_TO}"
        )
