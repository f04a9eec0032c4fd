"""What belongs together: a file, a workbook's sheets, or the files of a delivery set, loaded in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from ingestion.contract import Contract, load_councils, recognise
from ingestion.manifest import Delivery, accepted_contents

UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".writing")


@dataclass(frozen=True)
class Consignment:
    """Deliveries that are loaded together or not at all.

    `required` are the contracts of a delivery set, each of which must have a delivery of the day.
    """

    name: str
    deliveries: tuple[Delivery, ...]
    required: tuple[Contract, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The files, each once."""
        return list(dict.fromkeys(delivery.path for delivery in self.deliveries))

    def lacking(self, loader: psycopg.Connection[Any]) -> list[str]:
        """Name the tables of the set that neither lie here nor were accepted for the same day."""
        here = {delivery.contract.name for delivery in self.deliveries}
        like = self.deliveries[0]
        return [
            contract.name
            for contract in self.required
            if contract.name not in here
            and not accepted_contents(
                loader, Delivery(like.path, contract, like.server, like.council, like.extract_date)
            )
        ]


def expected(
    landing: Path, contracts: tuple[Contract, ...], source: str | None, known_by: date
) -> tuple[list[Consignment], list[str]]:
    """List what is to be loaded, oldest extract first, and say of every other file why it is left."""
    councils = load_councils()
    found: list[Delivery] = []
    left: list[str] = []
    for path in sorted(landing.rglob("*")):
        below = path.relative_to(landing)
        if not path.is_file() or any(part.startswith(".") for part in below.parts):
            continue
        if source and (len(below.parts) < 2 or below.parts[1] != source):
            continue
        recognised = recognise(contracts, below)
        if path.name.endswith(UNFINISHED):
            left.append(f"left alone: {below} is still being written, as its name says")
        elif not recognised:
            left.append(f"left alone: {below}: no contract expects a file of this name")
        elif recognised[0][1].council not in councils:
            left.append(
                f"left alone: {below}: there is no council {recognised[0][1].council} in ingestion/councils.yaml"
            )
        elif recognised[0][1].extract_date > known_by:
            left.append(f"left for its day: {below} is dated after {known_by}")
        else:
            found += [
                Delivery(path, contract, each.server, each.council, each.extract_date) for contract, each in recognised
            ]
    return _together(found, contracts), left


def _together(found: Iterable[Delivery], contracts: tuple[Contract, ...]) -> list[Consignment]:
    """Join deliveries that share a file or a set; the rest go alone."""
    groups: dict[tuple[date, str], list[Delivery]] = {}
    for delivery in found:
        of_set = delivery.contract.delivery_set
        place = f"{delivery.council}/{delivery.contract.source}"
        name = f"{place}, set {of_set} of {delivery.extract_date}" if of_set else str(delivery.path)
        groups.setdefault((delivery.extract_date, name), []).append(delivery)
    consignments = []
    for (_, name), deliveries in sorted(groups.items(), key=lambda group: group[0]):
        first = deliveries[0]
        of_set = first.contract.delivery_set
        required = tuple(
            contract
            for contract in contracts
            if of_set and contract.delivery_set == of_set and contract.source == first.contract.source
        )
        shown = name if of_set else f"{first.council}/{first.contract.source}/{first.path.name}"
        consignments.append(Consignment(shown, tuple(deliveries), required))
    return consignments
