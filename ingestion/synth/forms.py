"""Answers on the forms of steps: the business dates, how a review was held, and corrections made weeks later."""

import polars as pl

from ingestion.synth.chance import fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.step_types import (
    ASSESSED_ON,
    ASSESSMENT,
    ASSESSMENTS,
    CONTACT,
    CONTACTS,
    ELIGIBLE,
    EQUIPMENT,
    HOW_HELD,
    OLD_ASSESSED_ON,
    OLD_ASSESSMENT,
    REABLED_FROM,
    REABLEMENT_PLAN,
    REFERRED_ON,
    REVIEWED_ON,
    REVIEWS,
)

TEMPLATES = {ASSESSMENT: 466, OLD_ASSESSMENT: 300, CONTACT: 2065, REABLEMENT_PLAN: 1969}
REVIEW_TEMPLATE = 467
WAYS = ["Face to face", "Telephone", "By letter", "Self-completed"]
# Of a hundred reviews and assessments, where each way ends.
USUAL_WAYS = (82, 95, 98, 100)
# In thousandths of the forms: a wrong date is put right later; a form opened by mistake is deleted.
CORRECTED, DELETED = 15, 3
IGNORED = "none"


def form_rows(steps: pl.DataFrame, lives: Lives, night: int) -> pl.DataFrame:
    """Give the answers that stand on a night on the forms of these steps."""
    forms = _forms(steps, lives, night)
    dated = _answers(forms, _date_question(), pl.col("is_dated") & pl.col("question_code").ne(IGNORED)).with_columns(
        pl.when(pl.col("corrected") > night).then("wrong_date").otherwise("held").alias("date_answer"),
        pl.lit(None, pl.String).alias("lookup_answer"),
    )
    is_talk = pl.col("step_type").is_in([*REVIEWS, *ASSESSMENTS])
    nothing = pl.lit(None, pl.Int64).alias("date_answer")
    how = _answers(forms, pl.lit(HOW_HELD), is_talk).with_columns(nothing, pl.col("way").alias("lookup_answer"))
    eligible = _answers(forms, pl.lit(ELIGIBLE), pl.col("step_type").is_in(ASSESSMENTS)).with_columns(
        nothing, pl.when(pl.col("chance") < 71).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("lookup_answer")
    )
    return (
        pl.concat([dated, how, eligible])
        .sort("form_ref", "question_code")
        .select(
            "form_ref",
            "question_code",
            "step_ref",
            "template_ref",
            as_date(pl.col("date_answer")).alias("date_answer"),
            "lookup_answer",
        )
    )


def _forms(steps: pl.DataFrame, lives: Lives, night: int) -> pl.DataFrame:
    """Keep steps whose form is filled in by the night, with what chance makes of each."""
    begun = steps.filter(
        pl.col("held") <= night,
        pl.col("started") <= night,
        pl.col("cancelled") == NEVER,
        pl.col("step_type") != EQUIPMENT,
    )
    ref = begun["step_ref"].to_numpy()
    days = {
        name: pl.Series(name, fate(lives.seed, name, ref, upper))
        for name, upper in (("lag", 50), ("error", 20), ("mishap", 1000), ("chance", 100))
    }
    drawn = begun.with_columns(*days.values())
    drawn = drawn.with_columns(
        pl.when(pl.col("mishap") < CORRECTED).then(pl.col("held") + 8 + pl.col("lag")).otherwise(-1).alias("corrected"),
        (pl.col("held") - 1 - pl.col("error")).alias("wrong_date"),
        pl.when(pl.col("mishap") >= 1000 - DELETED)
        .then(pl.col("held") + 5 + pl.col("lag"))
        .otherwise(NEVER)
        .alias("deleted"),
        (pl.col("step_ref") * 10 + 1).alias("form_ref"),
        pl.col("step_type").replace_strict(TEMPLATES, default=None, return_dtype=pl.Int64).alias("template_ref"),
        _way().alias("way"),
    )
    return drawn.filter(pl.col("deleted") > night).with_columns(
        pl.when(pl.col("step_type").is_in(REVIEWS))
        .then(REVIEW_TEMPLATE)
        .otherwise(pl.col("template_ref").fill_null(TEMPLATES[CONTACT]))
        .alias("template_ref")
    )


def _answers(forms: pl.DataFrame, question: pl.Expr, asked: pl.Expr) -> pl.DataFrame:
    return forms.with_columns(question.alias("question_code")).filter(asked)


def _date_question() -> pl.Expr:
    kind = pl.col("step_type")
    return (
        pl.when(kind.is_in(REVIEWS))
        .then(pl.lit(REVIEWED_ON))
        .when(kind.is_in(CONTACTS))
        .then(pl.lit(REFERRED_ON))
        .when(kind == ASSESSMENT)
        .then(pl.lit(ASSESSED_ON))
        .when(kind == OLD_ASSESSMENT)
        .then(pl.lit(OLD_ASSESSED_ON))
        .when(kind == REABLEMENT_PLAN)
        .then(pl.lit(REABLED_FROM))
        .otherwise(pl.lit(IGNORED))
    )


def _way() -> pl.Expr:
    chosen = pl.lit(WAYS[-1])
    for way, below in reversed(list(zip(WAYS, USUAL_WAYS, strict=True))):
        chosen = pl.when(pl.col("chance") < below).then(pl.lit(way)).otherwise(chosen)
    return chosen
