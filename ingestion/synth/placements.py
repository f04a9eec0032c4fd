"""Placements: the stays in a home, scheme or household, recorded apart from the service elements that price them."""

import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.long_term import FIRST_ELEMENT_REF
from ingestion.synth.periods import as_date
from ingestion.synth.providers import provider_ref
from ingestion.synth.reablement import FIRST_ELEMENT_REF as FIRST_REABLEMENT_REF
from ingestion.synth.splits import DIED, HOSPITAL, MOVED, SERVICE_TYPES, SETTINGS

FIRST_REF = 6_000_000_000
PLACED_IN = SETTINGS[:5]
PLACEMENT_TYPES = pl.DataFrame(
    [
        (31, "Nursing Home", "nursing", "N"),
        (32, "Residential Home", "residential", "N"),
        (33, "Residential Home - Respite", "residential", "Y"),
        (34, "Supported Living Tenancy", "supported_living", "N"),
        (35, "Shared Lives Household", "shared_lives", "N"),
        (36, "Extra Care Flat", "housing_with_care", "N"),
        (12, "ZZ Hostel", "supported_living", "N"),
    ],
    schema={
        "placement_type_ref": pl.Int64,
        "placement_type_name": pl.String,
        "service_type_code": pl.String,
        "is_short_stay": pl.String,
    },
    orient="row",
)
TYPE_OF = {"nursing": 31, "residential": 32, "supported_living": 34, "shared_lives": 35, "housing_with_care": 36}


def stays(lives: Lives) -> pl.DataFrame:
    """Give every stay: one row is one accommodation element, from its first split to its last.

    `entered` and `end_entered` are the days on which its beginning and its end were typed in.
    """
    placed = [SERVICE_TYPES.index(code) for code in PLACED_IN]
    codes = dict(enumerate(SERVICE_TYPES))
    return (
        lives.services.filter(pl.col("service_type").is_in(placed))
        .group_by("element_ref", maintain_order=True)
        .agg(
            pl.col("person", "service_type", "provider").first(),
            pl.col("start").min(),
            pl.col("end").max(),
            pl.col("end_reason").last(),
            pl.col("entered").first(),
            pl.col("end_entered").last(),
        )
        .with_columns(pl.col("service_type").replace_strict(codes, return_dtype=pl.String).alias("service_type_code"))
    )


def placement_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the placements extract as it stands on a night."""
    seen = stays(lives).filter(pl.col("end") >= lives.first_day)
    late = pl.Series(fate(lives.seed, "placement late", seen["element_ref"].to_numpy(), 4))
    seen = seen.with_columns(noted=pl.col("entered") + late, closed=pl.col("end_entered") + late)
    seen = seen.filter(pl.col("noted") <= night)
    person, noted, element = (seen[name].to_numpy() for name in ("person", "noted", "element_ref"))
    has_ended = pl.col("closed") <= night
    reason = (
        pl.when(pl.col("end_reason") == MOVED)
        .then(pl.lit("moved"))
        .when(pl.col("end_reason") == DIED)
        .then(pl.lit("died"))
        .when(pl.col("end_reason") == HOSPITAL)
        .then(pl.lit("hospital"))
        .otherwise(pl.lit("ended"))
    )
    return seen.select(
        (FIRST_REF + pl.col("element_ref")).alias("placement_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, noted, FIRST_REF + element, night)),
        "element_ref",
        pl.col("service_type_code").replace_strict(TYPE_OF, return_dtype=pl.Int64).alias("placement_type_ref"),
        provider_ref(pl.col("provider")).alias("provider_ref"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(has_ended).then("end")).alias("end_date"),
        pl.when(has_ended).then(reason).alias("end_reason_code"),
    )


def moves(lives: Lives) -> pl.DataFrame:
    """Give the moves that were planted: a stay ended because the person moved, and the next stay is elsewhere."""
    codes = dict(enumerate(SERVICE_TYPES))
    # Services inside a stay have numbers of their own between the stays'.
    turn = (pl.col("element_ref") - FIRST_ELEMENT_REF) // lives.people.count
    chain = lives.services.filter(pl.col("element_ref") < FIRST_REABLEMENT_REF, turn % 2 == 0).sort("person", "start")
    following = chain.with_columns(
        to_type=pl.col("service_type").shift(-1).over("person"), move_day=pl.col("start").shift(-1).over("person")
    )
    return following.filter(pl.col("end_reason") == MOVED, pl.col("to_type") != pl.col("service_type")).select(
        "person",
        "move_day",
        pl.col("service_type").replace_strict(codes, return_dtype=pl.String).alias("from_service_type_code"),
        pl.col("to_type").replace_strict(codes, return_dtype=pl.String).alias("to_service_type_code"),
    )
