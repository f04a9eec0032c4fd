"""The providers an invented council buys from; a payment names the provider of the service element it is for."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole
from ingestion.synth.periods import as_date
from ingestion.synth.splits import SERVICE_TYPES

# First number and how many providers each service type has; a direct payment and reablement have none.
CARE_HOMES = 40
RANGES = {
    "nursing": (1, CARE_HOMES),
    "residential": (1, CARE_HOMES),
    "homecare": (41, 20),
    "supported_living": (61, 15),
    "shared_lives": (76, 1),
    "housing_with_care": (77, 4),
    "day_care": (81, 10),
}
TYPES = {
    "nursing": ("care_home", "Care Home"),
    "homecare": ("home_care", "Home Care"),
    "supported_living": ("supported_living", "Supported Living"),
    "shared_lives": ("shared_lives", "Shared Lives Scheme"),
    "housing_with_care": ("housing_with_care", "Court"),
    "day_care": ("day_opportunities", "Day Opportunities"),
}
NAMES = ("Alderwick", "Birchover", "Cloverfield", "Dovemere", "Elmstead", "Foxhollow", "Greenhaugh", "Hazelrigg")
IN_HOUSE = (76, 81, 82)


def provider_of(service_type: Whole, element_ref: Whole) -> Whole:
    """Give the number of each element's provider, the same for all its splits; 0 is none."""
    first = np.array([RANGES.get(kind, (0, 1))[0] for kind in SERVICE_TYPES])[service_type]
    count = np.array([RANGES.get(kind, (0, 1))[1] for kind in SERVICE_TYPES])[service_type]
    return np.asarray(first + element_ref % count, dtype=np.int64)


def provider_ref(number: pl.Expr) -> pl.Expr:
    """Turn providers' numbers into their codes; 0 becomes null."""
    return pl.when(number > 0).then(pl.format("P{}", number.cast(pl.String).str.zfill(3)))


def provider_rows(first_day: int, night: int) -> pl.DataFrame:
    """Give the providers extract as it stands on a night."""
    rows = []
    for kind, (type_code, suffix) in TYPES.items():
        first, count = RANGES[kind]
        for number in range(first, first + count):
            begins = first_day - 3000 + number * 7
            rows.append(
                (number, f"{NAMES[number % len(NAMES)]} {suffix} {number}", type_code, number in IN_HOUSE, begins)
            )
    providers = pl.DataFrame(
        rows,
        schema=["number", "provider_name", "provider_type_code", "is_in_house", "begins"],
        orient="row",
    )
    return providers.filter(pl.col("begins") <= night).select(
        provider_ref(pl.col("number")).alias("provider_ref"),
        "provider_name",
        "provider_type_code",
        "is_in_house",
        as_date(pl.col("begins")).alias("start_date"),
        pl.lit(None, pl.Date).alias("end_date"),
    )
