"""The one shape of an invented split of a service element."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole

SHAPE = {
    "element_ref": pl.Int64,
    "split_number": pl.Int64,
    "person": pl.Int64,
    "service_type": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "end_reason": pl.Int64,
    "weekly_pence": pl.Int64,
}

# What pricing and agreement add to a split: see `ingestion.synth.agreements`.
PRICED = SHAPE | {
    "entered": pl.Int64,
    "end_entered": pl.Int64,
    "provider": pl.Int64,
    "unit": pl.Int64,
    "units": pl.Int64,
    "is_four_weekly": pl.Boolean,
    "unit_pence": pl.Int64,
    "health_share": pl.Int64,
    "better_care_fund_share": pl.Int64,
    "carers": pl.Int64,
    "corrected": pl.Int64,
    "step_ref": pl.Int64,
    "project": pl.Int64,
}
UNITS = ("hour", "day", "week")
HOUR, DAY, WEEK = range(len(UNITS))
# Savings projects that a change may be credited to; 0 is none.
PROJECTS = ("", "SP-REVIEWS", "SP-MOVES", "SP-DIRECT", "SP-PRICES", "SP-ADULTHOOD")
NO_PROJECT, TARGETED_REVIEWS, ALTERNATIVE_SETTINGS, DIRECT_PAYMENTS, PRICES, ADULTHOOD = range(len(PROJECTS))

# Ordered from least to most independent for settings; the tables of chances follow this order.
SETTINGS = (
    "nursing",
    "residential",
    "supported_living",
    "shared_lives",
    "housing_with_care",
    "homecare",
    "direct_payment",
)
SERVICE_TYPES = (*SETTINGS, "day_care", "reablement")
NURSING, RESIDENTIAL = SERVICE_TYPES.index("nursing"), SERVICE_TYPES.index("residential")
SUPPORTED_LIVING, DIRECT_PAYMENT = SERVICE_TYPES.index("supported_living"), SERVICE_TYPES.index("direct_payment")
HOMECARE, DAY_CARE = SERVICE_TYPES.index("homecare"), SERVICE_TYPES.index("day_care")
REABLEMENT = SERVICE_TYPES.index("reablement")

END_REASONS = ("completed", "changed", "moved", "died", "hospital", "withdrawn")
COMPLETED, CHANGED, MOVED, DIED, HOSPITAL, WITHDRAWN = range(len(END_REASONS))

# Usual weekly cost in pence of each service type, for people of 18 to 64 and of 65 and over.
USUAL_WEEKLY_PENCE = np.array(
    [
        [150_000, 138_000, 66_600, 37_900, 31_000, 24_500, 29_000, 14_000, 0],
        [72_000, 61_000, 52_000, 34_000, 24_000, 19_500, 21_000, 9_500, 0],
    ]
)


def splits(columns: Mapping[str, Whole], where: Flag | None = None) -> pl.DataFrame:
    """Make splits out of columns of equal length, keeping those rows `where` says.

    One row is one split: `person` is a position among the people, `service_type` and `end_reason` are
    positions in the lists above, days are since 1970, the end day is included, and 0 pence means free.
    """
    kept = {name: values if where is None else values[where] for name, values in columns.items()}
    return pl.DataFrame(kept, schema=SHAPE)
