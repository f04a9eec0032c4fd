"""What each source delivers and who answers for it, read from the contracts and nothing heavier."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import Asset

CONTRACTS = Path(__file__).resolve().parents[1] / "ingestion" / "contracts"


@dataclass(frozen=True)
class Source:
    """One source system: a folder of contracts, one for each of its tables.

    `latency_days` is the shortest of its tables: after that many days without a delivery, figures are stale.
    """

    name: str
    tables: tuple[str, ...]
    owner: str
    ask: str
    latency_days: int


@cache
def sources() -> tuple[Source, ...]:
    """Give every source that has a contract, in the order of their names."""
    folders = sorted({contract.parent for contract in CONTRACTS.glob("*/*.yaml")})
    return tuple(_read(folder) for folder in folders)


def accepted(source: Source) -> Asset:
    """Give the asset that changes when files of `source` were accepted; its events carry `business_date`."""
    return Asset(name=f"accepted_{source.name}", uri=f"carehouse://accepted/{source.name}")


def _read(folder: Path) -> Source:
    contracts = {
        path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for path in sorted(folder.glob("*.yaml"))
        # An edition says how one release or one council writes a table that is listed already.
        if "." not in path.stem
    }
    owners = sorted({contract["team"]["name"] for contract in contracts.values()})
    addresses = sorted(
        {channel["url"].removeprefix("mailto:") for contract in contracts.values() for channel in contract["support"]}
    )
    return Source(
        name=folder.name,
        tables=tuple(contracts),
        owner=", ".join(owners),
        ask=", ".join(addresses),
        latency_days=min(_latency_days(contract) for contract in contracts.values()),
    )


def _latency_days(contract: dict[str, Any]) -> int:
    return next(int(sla["value"]) for sla in contract["slaProperties"] if sla["property"] == "latency")
