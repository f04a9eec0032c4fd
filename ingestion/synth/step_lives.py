"""The days in the life of a workflow step, from its proposal to its completion, or to the day it was abandoned."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, choose, happens
from ingestion.synth.periods import NEVER
from ingestion.synth.persons import People

PROPOSED_DAYS = 14
TEAMS = 12

# One row is one step. `person` is a position; a step that is shared is about the couple they are part of. Days are
# since 1970, `NEVER` for what does not happen. `team` 0 is none.
STEP = {
    "step_ref": pl.Int64,
    "person": pl.Int64,
    "step_type": pl.Int64,
    "proposed": pl.Int64,
    "incoming": pl.Int64,
    "started": pl.Int64,
    "held": pl.Int64,
    "typed": pl.Int64,
    "cancelled": pl.Int64,
    "reopened": pl.Int64,
    "retyped": pl.Int64,
    "is_dated": pl.Boolean,
    "is_shared": pl.Boolean,
    "team": pl.Int64,
}


def live(
    rng: np.random.Generator,
    people: People,
    ref: Whole,
    person: Whole,
    step_type: Whole,
    held: Whole,
    *,
    notice_days: int,
) -> pl.DataFrame:
    """Give steps their days, in order: incoming, started, held, typed in; or cancelled; or done twice.

    Nothing is held with the dead: their steps are left out.
    """
    count = ref.size
    incoming = held - rng.integers(0, notice_days + 1, count)
    started = incoming + (held - incoming) * rng.integers(0, 101, count) // 100
    # Typing in lags: soon for some, weeks for others.
    soonest, latest = np.array([(0, 3), (3, 15), (15, 61)])[choose(rng, [45, 35, 20], count)].T
    typed = held + rng.integers(soonest, latest)
    outcome = choose(rng, [94, 4, 2], count)
    is_cancelled, is_reopened = outcome == 1, outcome == 2
    cancelled = np.where(is_cancelled, incoming + rng.integers(1, 40, count), NEVER)
    reopened = np.where(is_reopened, typed + rng.integers(2, 60, count), NEVER)
    stays_open = happens(rng, 250, count)
    retyped = np.where(is_reopened & ~stays_open, reopened + rng.integers(3, 60, count), NEVER)
    partner = people.partner[person]
    is_shared = happens(rng, 600, count) & (partner >= 0) & (held <= people.death[partner])
    steps = {
        "step_ref": ref,
        "person": person,
        "step_type": step_type,
        # What comes without notice was never proposed.
        "proposed": incoming - (PROPOSED_DAYS if notice_days > PROPOSED_DAYS else 0),
        "incoming": incoming,
        "started": np.where(started < cancelled, started, NEVER),
        "held": held,
        "typed": np.where(is_cancelled, NEVER, typed),
        "cancelled": cancelled,
        "reopened": reopened,
        "retyped": retyped,
        "is_dated": ~happens(rng, 60, count),
        "is_shared": is_shared,
        "team": np.where(happens(rng, 20, count), 0, rng.integers(1, TEAMS + 1, count)),
    }
    is_alive = held <= people.death[person]
    return pl.DataFrame({name: values[is_alive] for name, values in steps.items()}, schema=STEP)
