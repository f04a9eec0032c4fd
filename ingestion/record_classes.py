"""Record classes: how long each kind of record is kept, after what, and what the erasure of a person does to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from carehouse import strict_yaml
from carehouse.errors import CarehouseError
from ingestion.contract import Contract, load_contracts

FILE = Path(__file__).parent / "retention.yaml"
DELETE, SEVER = "delete", "sever"
LAST_ACTIVITY, FINANCIAL_YEAR = "last_activity", "financial_year"
ALWAYS = "always"
PLACES = {"figures_need_from", "figures_look_back_years", "copies", "classes"}
COPIES = {"quarantine_days", "refused_days", "archive_days", "export_days"}
KEYS = {"words", "keep_years", "on_erasure", "basis", "owner"}


@dataclass(frozen=True)
class RecordClass:
    """One class of record. `keep_years` is None where it is kept for ever, and `after` then says nothing."""

    name: str
    words: str
    keep_years: int | None
    after: str | None
    on_erasure: str
    basis: str
    owner: str


@dataclass(frozen=True)
class Rules:
    """All that `retention.yaml` says."""

    figures_need_from: date
    figures_look_back_years: int
    quarantine_days: int
    refused_days: int
    archive_days: int
    export_days: int
    classes: dict[str, RecordClass]

    def of(self, contract: Contract) -> RecordClass:
        """Give the class of a contract's table.

        Raises:
            CarehouseError: the contract names none, or one that is not declared.
        """
        if contract.record_class not in self.classes:
            raise CarehouseError(
                f"{contract.source}/{contract.file.name}: recordClass is {contract.record_class!r}; "
                f"ingestion/retention.yaml declares {', '.join(self.classes)}."
            )
        return self.classes[str(contract.record_class)]


def load_rules(file: Path = FILE) -> Rules:
    """Read the rules.

    Raises:
        CarehouseError: naming what in the file is not understood.
    """
    try:
        said: Any = strict_yaml.read(file.read_text(encoding="utf-8"))
        _only(said, PLACES, "the file")
        _only(said["copies"], COPIES, "copies")
        if not isinstance(said["figures_need_from"], date):
            raise ValueError("figures_need_from must be a day, written 2016-03-31")
        look_back = _whole(said["figures_look_back_years"], "figures_look_back_years")
        classes = {name: _class(name, each) for name, each in said["classes"].items()}
        for each in classes.values():
            if each.keep_years is not None and each.keep_years <= look_back:
                raise ValueError(f"{each.name} must be kept for longer than figures look back, {look_back} years")
        return Rules(
            figures_need_from=said["figures_need_from"],
            figures_look_back_years=look_back,
            **{name: _whole(days, name) for name, days in said["copies"].items()},
            classes=classes,
        )
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CarehouseError(f"{file.name}: {error}") from error


@cache
def contracts_and_rules() -> tuple[dict[str, Contract], Rules]:
    """Give every contract by name, and the rules; each contract is of a declared class."""
    contracts, rules = load_contracts(), load_rules()
    for contract in contracts:
        rules.of(contract)
    return {contract.name: contract for contract in contracts}, rules


def _class(name: str, said: dict[str, Any]) -> RecordClass:
    kept_for_ever = said.get("keep_years") == ALWAYS
    _only(said, KEYS if kept_for_ever else KEYS | {"after"}, name)
    return RecordClass(
        name=name,
        words=_words(said["words"], f"{name}.words"),
        keep_years=None if kept_for_ever else _whole(said["keep_years"], f"{name}.keep_years"),
        after=None if kept_for_ever else _one_of(said["after"], (LAST_ACTIVITY, FINANCIAL_YEAR), f"{name}.after"),
        on_erasure=_one_of(said["on_erasure"], (DELETE, SEVER), f"{name}.on_erasure"),
        basis=_words(said["basis"], f"{name}.basis"),
        owner=_words(said["owner"], f"{name}.owner"),
    )


def _only(said: dict[str, Any], known: Iterable[str], place: str) -> None:
    wanted = set(known)
    if unknown := sorted(set(said) - wanted):
        raise ValueError(f"{place} has unknown keys {unknown}; known are {', '.join(sorted(wanted))}")
    if missing := sorted(wanted - set(said)):
        raise ValueError(f"{place} lacks {', '.join(missing)}")


def _whole(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{place} must be a whole number of at least 1")
    return value


def _one_of(value: Any, allowed: tuple[str, ...], place: str) -> str:
    if value not in allowed:
        raise ValueError(f"{place} is {value!r}; allowed are {', '.join(allowed)}")
    return str(value)


def _words(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place} must be words")
    return value.strip()
