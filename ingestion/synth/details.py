"""Facts that hang on a person: numbers elsewhere, addresses, reasons for support, accommodation."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.persons import CANARY_ADDRESS
from ingestion.synth.placements import stays

REFERENCE_TYPES = ("NHS", "FINANCE", "HOUSING", "OLD_SYSTEM")
REFERENCE_SHARES = (100, 70, 15, 50)

REASONS = (
    "physical_support",
    "sensory_support",
    "memory_cognition",
    "learning_disability",
    "mental_health",
    "social_support",
)
# Of a hundred people under and over 65, where each reason ends.
REASON_SHARES = np.array([[24, 28, 30, 72, 94, 100], [66, 71, 90, 92, 97, 100]])
ACCOMMODATION = {
    "nursing": "nursing_home",
    "residential": "residential_home",
    "supported_living": "supported_accommodation",
    "shared_lives": "shared_lives",
    "housing_with_care": "supported_accommodation",
}
STREETS = ("Larch Way", "Mill Steps", "Orchard Rise", "Quarry Bank", "Tanner Row", "Weir Close")


def _everybody(lives: Lives) -> Whole:
    return np.arange(lives.people.count, dtype=np.int64)


def reference_rows(lives: Lives) -> pl.DataFrame:
    """Give the references extract: numbers by which other systems know people, the same on every night."""
    everybody, found = _everybody(lives), []
    for place, (kind, share) in enumerate(zip(REFERENCE_TYPES, REFERENCE_SHARES, strict=True)):
        has_one = fate(lives.seed, f"reference {kind}", everybody, 100) < share
        if kind == "NHS":
            has_one &= lives.details.has_nhs_number
        person = everybody[has_one]
        number = lives.details.nhs_number[person] if kind == "NHS" else 10_000 + person
        width = 10 if kind == "NHS" else 7
        prefix = {"NHS": "", "FINANCE": "C", "HOUSING": "H", "OLD_SYSTEM": "00"}[kind]
        found.append(
            pl.DataFrame({"reference_ref": person * 10 + place + 1, "person": person, "number": number}).select(
                "reference_ref",
                pl.Series("person_ref", lives.people.refs[person]),
                pl.lit(kind).alias("reference_type_code"),
                pl.format("{}{}", pl.lit(prefix), pl.col("number").cast(pl.String).str.zfill(width)).alias("reference"),
            )
        )
    return pl.concat(found).sort("reference_ref")


def address_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the addresses extract: a main address each, which some people leave for another."""
    everybody, seed = _everybody(lives), lives.seed
    begins = lives.first_day - 500 - fate(seed, "address begins", everybody, 6000)
    moves = np.where(
        fate(seed, "address moves", everybody, 100) < 12,
        lives.first_day + fate(seed, "address moves on", everybody, 2500),
        NEVER,
    )
    moves[0] = NEVER
    first = _addresses(lives, everybody, 0, begins, moves - 1)
    second = _addresses(lives, everybody[moves < NEVER], 1, moves[moves < NEVER], NEVER)
    return (
        pl.concat([first, second])
        .filter(pl.col("start") <= night)
        .sort("address_ref")
        .select(
            "address_ref",
            "person_ref",
            pl.lit("main").alias("address_type_code"),
            as_date(pl.col("start")).alias("start_date"),
            as_date(pl.when(pl.col("end") <= night).then("end")).alias("end_date"),
            "address",
            "postcode",
        )
    )


def _addresses(lives: Lives, person: Whole, place: int, start: Whole, end: Whole | int) -> pl.DataFrame:
    ref = person * 10 + place + 1
    number = 1 + fate(lives.seed, "house", ref, 98)
    street = np.array(STREETS)[fate(lives.seed, "street", ref, len(STREETS))]
    listed = pl.DataFrame(
        {
            "address_ref": ref,
            "person_ref": lives.people.refs[person],
            "start": start,
            "end": np.broadcast_to(end, person.shape),
            "number": number,
            "street": street,
            "postcode": lives.details.postcode[person],
        }
    ).with_columns(pl.format("{} {}", "number", "street").alias("address"))
    is_canary = pl.col("person_ref") == int(lives.people.refs[0])
    return listed.with_columns(pl.when(is_canary).then(pl.lit(CANARY_ADDRESS)).otherwise("address").alias("address"))


def support_reason_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the support reasons extract: nearly everybody has one, and a few come to another."""
    everybody, seed = _everybody(lives), lives.seed
    drawn = fate(seed, "reason", everybody, 100)
    reason = (drawn[:, None] >= REASON_SHARES[lives.people.age_group]).sum(axis=1)
    begins = lives.first_day - 100 - fate(seed, "reason begins", everybody, 2000)
    changes = np.where(
        fate(seed, "reason changes", everybody, 100) < 6,
        lives.first_day + fate(seed, "reason changes on", everybody, 2500),
        NEVER,
    )
    has_one = fate(seed, "has a reason", everybody, 100) < 97
    both = [
        (everybody[has_one], reason[has_one], begins[has_one], changes[has_one] - 1),
        (everybody[has_one], (reason[has_one] + 1) % len(REASONS), changes[has_one], np.full(has_one.sum(), NEVER)),
    ]
    found = [
        pl.DataFrame(
            {"person_ref": lives.people.refs[person], "reason": which, "start": start, "end": end},
        )
        for person, which, start, end in both
    ]
    return (
        pl.concat(found)
        .filter(pl.col("start") <= night)
        .sort("person_ref", "start")
        .select(
            "person_ref",
            pl.col("reason").replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String)
            .alias("support_reason_code"),
            as_date(pl.col("start")).alias("start_date"),
            as_date(pl.when(pl.col("end") <= night).then("end")).alias("end_date"),
        )
    )  # fmt: skip


def accommodation_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the accommodation extract: a home of their own, then the settings people are placed in, noted weeks late."""
    everybody = _everybody(lives)
    with_family = fate(lives.seed, "with family", everybody, 100) < np.where(lives.people.is_older, 8, 35)
    homes = pl.DataFrame(
        {
            "person": everybody,
            "start": lives.first_day - 3000 - fate(lives.seed, "home since", everybody, 3000),
            "noted": np.zeros(everybody.size, dtype=np.int64),
            "accommodation_code": np.where(with_family, "with_family", "own_home"),
        }
    )
    placed = stays(lives).select(
        "person",
        "start",
        (pl.col("start") + 3 + pl.col("element_ref") % 30).alias("noted"),
        pl.col("service_type_code").replace_strict(ACCOMMODATION).alias("accommodation_code"),
    )
    seen = pl.concat([homes, placed]).filter(pl.col("noted") <= night)
    in_order = seen.sort("person", "start", "accommodation_code").unique(["person", "start"], keep="first")
    ends = pl.col("start").shift(-1).over("person") - 1
    return in_order.sort("person", "start").with_columns(ends.alias("end")).select(
        pl.Series("person_ref", lives.people.refs)
        .gather(in_order.sort("person", "start")["person"])
        .alias("person_ref"),
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.col("end")).alias("end_date"),
        "accommodation_code",
    )  # fmt: skip
