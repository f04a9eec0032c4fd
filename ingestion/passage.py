"""Somebody's word that a file is right although it was refused for how it differs from earlier ones."""

import re
from dataclasses import dataclass

from carehouse.errors import CarehouseError

SHORTEST_HASH = 12


@dataclass(frozen=True)
class Passage:
    """Which file may pass, by the beginning of its SHA-256, who says so, and why: recorded with the batch."""

    sha256: str
    by: str
    because: str

    def covers(self, sha256: str) -> bool:
        """Say whether it is for the file of this hash."""
        return sha256.startswith(self.sha256)


def passage(sha256: str | None, by: str, because: str | None) -> Passage | None:
    """Give somebody's word for one file, or None where no file is named.

    Raises:
        CarehouseError: the hash is too short to name one file, or no reason is given.
    """
    if sha256 is None:
        return None
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_HASH},64}}", sha256):
        raise CarehouseError(
            f"{sha256!r} does not name a file: give at least {SHORTEST_HASH} characters of its SHA-256, "
            "which stand in its name in the refused folder."
        )
    if not (because or "").strip():
        raise CarehouseError("A file that is let pass is recorded for ever: say why, with --because.")
    return Passage(sha256, by, str(because))
