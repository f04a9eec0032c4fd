"""How direct payments are held, and what people were assessed to contribute."""

import numpy as np
import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.spells import Support
from ingestion.synth.splits import DIRECT_PAYMENT

FIRST_PAYMENT_REF, FIRST_ASSESSMENT_REF = 4_000_000_000, 20_000_000
MOST_CONTRIBUTION_PENCE = 18_000


def direct_payment_packages(lives: Lives) -> pl.DataFrame:
    """Give every direct payment package: one row is one element, with the days on which its use changed.

    `assistant_from` and `card_from` are the first days with a personal assistant and on a pre-paid card,
    `NEVER` for those without. `weekly_pence` is the amount of the first split.
    """
    packages = (
        lives.services.filter(pl.col("service_type") == DIRECT_PAYMENT)
        .group_by("element_ref", maintain_order=True)
        .agg(
            pl.col("person", "entered", "weekly_pence").first(),
            pl.col("start").min(),
            pl.col("end").max(),
            pl.col("end_entered").last(),
        )
    )
    ref, start = packages["element_ref"].to_numpy(), packages["start"].to_numpy()
    seed = lives.seed
    assistant, card = fate(seed, "assistant", ref, 100), fate(seed, "card", ref, 100)
    later = start + 60 + fate(seed, "assistant later", ref, 900)
    return packages.with_columns(
        assistant_from=np.where(assistant < 12, start, np.where(assistant < 24, later, NEVER)),
        card_from=np.where(card < 45, start + 30 + fate(seed, "card later", ref, 400), NEVER),
    )


def direct_payment_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the direct payments extract as it stands on a night."""
    seen = direct_payment_packages(lives).filter(pl.col("end") >= lives.first_day, pl.col("entered") <= night)
    ref, person, entered = (seen[name].to_numpy() for name in ("element_ref", "person", "entered"))
    key = FIRST_PAYMENT_REF + ref
    differs = pl.Series(900 + fate(lives.seed, "calculated", ref, 200))
    is_calculated = pl.Series(fate(lives.seed, "is calculated", ref, 10) < 8)
    return seen.select(
        (FIRST_PAYMENT_REF + pl.col("element_ref")).alias("direct_payment_ref"),
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, entered, key, night)),
        "element_ref",
        as_date(pl.col("start")).alias("start_date"),
        as_date(pl.when(pl.col("end_entered") <= night).then("end")).alias("end_date"),
        (pl.col("assistant_from") <= night).alias("employs_personal_assistant"),
        (pl.col("card_from") <= night).alias("is_on_prepaid_card"),
        pl.when(is_calculated).then(pl.col("weekly_pence") * differs // 1000).alias("calculated_weekly_gbp"),
        pl.col("weekly_pence").alias("contingency_gbp"),
    )


def contributions(lives: Lives) -> pl.DataFrame:
    """Give every financial assessment: one row is one, with `from` and `to` as days and the contribution in pence.

    Somebody with long-term support is assessed some days after it begins, for the time since, and about
    once a year after that. Full-cost payers have a `weekly_pence` like others'; what they pay is the cost.
    """
    support = Support(lives.people, lives.services)
    everybody = np.arange(lives.people.count, dtype=np.int64)
    seed, found = lives.seed, []
    base = fate(seed, "contribution", everybody, MOST_CONTRIBUTION_PENCE)
    base[fate(seed, "pays nothing", everybody, 100) < 27] = 0
    effective, turn = support.first_day, 0
    is_due = support.is_given(everybody, effective)
    while (effective <= lives.until_day).any():
        ref = FIRST_ASSESSMENT_REF + turn * lives.people.count + everybody
        after = effective + 330 + fate(seed, "next assessment", ref, 70)
        is_due_after = support.is_given(everybody, after) & (after <= lives.until_day)
        assessed = {
            "assessment_ref": ref,
            "person": everybody,
            "requested": effective - fate(seed, "assessment asked", ref, 10),
            "completed": effective + fate(seed, "assessment takes", ref, 60),
            "from": effective,
            "to": np.where(is_due_after, after - 1, NEVER),
            "weekly_pence": base * (1000 + 21 * turn) // 1000,
            "is_residential": fate(seed, "residential rules", everybody, 100) < 35,
            "is_full_cost": fate(seed, "full cost", everybody, 100) < 9,
        }
        found.append(pl.DataFrame(assessed).filter(pl.Series(is_due)))
        effective, is_due, turn = after, is_due_after, turn + 1
    return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(_CONTRIBUTION, pl.Int64))


_CONTRIBUTION = (
    "assessment_ref", "person", "requested", "completed", "from", "to", "weekly_pence", "is_residential", "is_full_cost"
)  # fmt: skip


def assessment_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the financial assessments extract as it stands on a night: those asked for, and what came of them."""
    seen = contributions(lives).filter(pl.col("requested") <= night)
    ref, person, asked = (seen[name].to_numpy() for name in ("assessment_ref", "person", "requested"))
    is_done = pl.col("completed") <= night
    kind = pl.when(pl.col("is_residential").cast(pl.Boolean)).then(pl.lit("residential"))
    return seen.select(
        "assessment_ref",
        pl.Series("person_ref", lives.duplicates.refs(lives.people, person, asked, ref, night)),
        kind.otherwise(pl.lit("non_residential")).alias("assessment_type_code"),
        as_date(pl.col("requested")).alias("requested_date"),
        as_date(pl.when(is_done).then("completed")).alias("completed_date"),
        as_date(pl.when(is_done).then("from")).alias("effective_date"),
        as_date(pl.when(is_done & (pl.col("to") <= night)).then("to")).alias("end_date"),
        pl.when(is_done).then("weekly_pence").alias("weekly_contribution_gbp"),
        pl.when(is_done).then(pl.col("is_full_cost").cast(pl.Boolean)).alias("is_full_cost"),
    )
