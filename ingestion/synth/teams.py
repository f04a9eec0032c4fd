"""The invented council's teams and workers."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Whole, fate
from ingestion.synth.lives import Lives
from ingestion.synth.periods import as_date
from ingestion.synth.persons import FORENAMES, SURNAMES
from ingestion.synth.step_lives import TEAMS

AREAS = ("front_door", "older_adults", "younger_adults", "reablement", "hospital", "safeguarding")
AREA_NAMES = ("Access", "Older Adults", "Younger Adults", "Reablement", "Hospital Discharge", "Safeguarding")
DISTRICTS = ("North", "South")
ROLES = ("social_worker", "care_officer", "occupational_therapist", "reablement_worker", "adviser", "manager")
FIRST_WORKER_REF, WORKERS_A_TEAM_AT_MOST = 80_000, 1_000
PEOPLE_PER_WORKER = 300


def team_rows(lives: Lives) -> pl.DataFrame:
    """Give the teams extract: two teams to an area, in districts, under a service each."""
    rows: list[tuple[str, str, str | None, int]] = [
        (f"T{number + 1:02d}", f"{AREA_NAMES[number // 2]} {DISTRICTS[number % 2]}", f"S{number // 2 + 1}", number // 2)
        for number in range(TEAMS)
    ]
    rows += [(f"S{area + 1}", f"{name} Service", None, area) for area, name in enumerate(AREA_NAMES)]
    teams = pl.DataFrame(
        rows,
        schema={"team_ref": pl.String, "team_name": pl.String, "parent_team_ref": pl.String, "area": pl.Int64},
        orient="row",
    )
    return teams.select(
        "team_ref",
        "team_name",
        "parent_team_ref",
        pl.col("area").replace_strict(dict(enumerate(AREAS)), return_dtype=pl.String).alias("service_area_code"),
        as_date(pl.lit(lives.first_day - 2000)).alias("start_date"),
        pl.lit(None, pl.Date).alias("end_date"),
    )


def _workers_a_team(lives: Lives) -> int:
    return min(max(3, lives.people_count // PEOPLE_PER_WORKER // TEAMS), WORKERS_A_TEAM_AT_MOST - 1)


def worker_of(lives: Lives, steps: pl.DataFrame) -> Whole:
    """Give the worker of each step: one of its team."""
    number = fate(lives.seed, "worker", steps["step_ref"].to_numpy(), _workers_a_team(lives))
    return np.asarray(FIRST_WORKER_REF + steps["team"].to_numpy() * WORKERS_A_TEAM_AT_MOST + number)


def worker_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the workers extract as it stands on a night: a few have come from another team."""
    size = _workers_a_team(lives)
    team = np.repeat(np.arange(1, TEAMS + 1), size)
    ref = FIRST_WORKER_REF + team * WORKERS_A_TEAM_AT_MOST + np.tile(np.arange(size), TEAMS)
    seed = lives.seed
    begins = lives.first_day - 1500 + fate(seed, "worker begins", ref, 1400)
    changes = begins + 300 + fate(seed, "worker changes", ref, 2500)
    has_come = fate(seed, "worker came", ref, 100) < 20
    named = pl.DataFrame(
        {
            "worker_ref": ref,
            "full_name": np.char.add(
                np.char.add(np.array(FORENAMES)[fate(seed, "forename", ref, len(FORENAMES))], " "),
                np.array(SURNAMES)[fate(seed, "surname", ref, len(SURNAMES))],
            ),
            "role": fate(seed, "role", ref, len(ROLES)),
            "team": team,
            "begins": begins,
            "changes": np.where(has_come, changes, begins),
        }
    )
    here = named.with_columns(start=pl.col("changes"), end=pl.lit(None, pl.Int64))
    before = named.filter(pl.col("changes") > pl.col("begins")).with_columns(
        team=pl.col("team") % TEAMS + 1, start=pl.col("begins"), end=pl.col("changes") - 1
    )
    ended = pl.when(pl.col("end") <= night).then("end")
    return (
        pl.concat([here, before])
        .filter(pl.col("start") <= night)
        .sort("worker_ref", "start")
        .select(
            "worker_ref",
            as_date(pl.col("start")).alias("start_date"),
            as_date(ended).alias("end_date"),
            "full_name",
            pl.format("T{}", pl.col("team").cast(pl.String).str.zfill(2)).alias("team_ref"),
            pl.col("role").replace_strict(dict(enumerate(ROLES)), return_dtype=pl.String).alias("role_code"),
        )
    )
