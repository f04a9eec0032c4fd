"""When people have long-term support, told so that what begins later changes nothing about earlier days."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole
from ingestion.synth.periods import NEVER
from ingestion.synth.persons import People
from ingestion.synth.splits import REABLEMENT


class Support:
    """Long-term support of everybody, by day."""

    def __init__(self, people: People, services: pl.DataFrame) -> None:
        """Take the splits of services, long-term or not."""
        long_term = services.filter(pl.col("service_type") != REABLEMENT)
        long_term = long_term.group_by("person", "start").agg(pl.col("end").max()).sort("person", "start")
        # The furthest end of what has begun so far, not the end of the row before.
        reach = pl.col("end").cum_max().over("person").alias("reach")
        self._begun = long_term.select("person", "start", reach).sort("start")
        first = long_term.group_by("person").agg(pl.col("start").min())
        self.first_day = np.full(people.count, NEVER, dtype=np.int64)
        """Each person's first day of support, `NEVER` for those without."""
        self.first_day[first["person"].to_numpy()] = first["start"].to_numpy()

    def is_given(self, person: Whole, day: Whole) -> Flag:
        """Tell which people have support on their day, or had within the spell that reaches over it."""
        asked = pl.DataFrame({"person": person, "day": day}).with_row_index("place").sort("day")
        found = asked.join_asof(self._begun, left_on="day", right_on="start", by="person", check_sortedness=False)
        in_order = found.sort("place")
        return (in_order["reach"].fill_null(0) >= in_order["day"]).to_numpy()
