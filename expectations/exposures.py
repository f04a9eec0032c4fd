"""What the marts are used for, as the dbt project declares it: who would see a wrong figure, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carehouse import strict_yaml

DECLARED_IN = Path("dbt_project/models/exposures.yml")
# A later version of a mart stands beside the first as <mart>_v2; see dbt_project/macros/described.sql.
REFERENCE = re.compile(r"ref\('(\w+)'(?:, v(?:ersion)?=(\d+))?\)")


@dataclass(frozen=True)
class Exposures:
    """The reports and analyses that stand on each mart, by their names for people."""

    by_mart: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, project: Path) -> "Exposures":
        """Read those that the dbt project in `project` declares."""
        declared: Any = strict_yaml.read((project / DECLARED_IN).read_text(encoding="utf-8"))
        by_mart: dict[str, list[str]] = {}
        for exposure in declared["exposures"]:
            for name, version in REFERENCE.findall(" ".join(exposure["depends_on"])):
                mart = f"{name}_v{version}" if int(version or 1) > 1 else name
                by_mart.setdefault(mart, []).append(exposure["label"])
        return cls({mart: tuple(labels) for mart, labels in by_mart.items()})

    def of(self, mart: str) -> tuple[str, ...]:
        """Give what stands on `mart`."""
        return self.by_mart.get(mart, ())
