"""Subgroups: whom a step is about. Everybody has one to themselves, each couple one together."""

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole
from ingestion.synth.lives import Lives
from ingestion.synth.merges import Duplicates

SINGLE, COUPLE, DUPLICATE, HOUSEHOLD = (number * 10_000_000 for number in (1, 2, 3, 6))


def subgroup_of(lives: Lives, steps: pl.DataFrame) -> Whole:
    """Give the subgroup of each step: of the couple, of the person, or of the person's duplicate record."""
    person = steps["person"].to_numpy()
    is_shared = steps["is_shared"].to_numpy()
    is_duplicate = steps_of_duplicates(lives.duplicates, steps)
    couple = COUPLE + np.minimum(person, lives.people.partner[person])
    return np.where(is_shared, couple, np.where(is_duplicate, DUPLICATE + person, SINGLE + person))


def steps_of_duplicates(duplicates: Duplicates, steps: pl.DataFrame) -> Flag:
    """Tell which steps came in under a duplicate record."""
    person, incoming, ref = (steps[name].to_numpy() for name in ("person", "incoming", "step_ref"))
    is_shared = steps["is_shared"].to_numpy()
    return np.asarray(duplicates.in_use(person, incoming, ref) & ~is_shared, dtype=np.bool_)


def _members(lives: Lives, night: int) -> tuple[Whole, Whole, Whole]:
    people, duplicates = lives.people, lives.duplicates
    everybody = np.arange(people.count, dtype=np.int64)
    has_duplicate = everybody[duplicates.exists & (duplicates.created <= night)]
    has_partner = everybody[people.partner >= 0]
    subgroup = [
        SINGLE + everybody,
        COUPLE + np.minimum(has_partner, people.partner[has_partner]),
        DUPLICATE + has_duplicate,
    ]
    person = [everybody, has_partner, has_duplicate]
    key = DUPLICATE + has_duplicate
    is_duplicate = np.ones(has_duplicate.size, dtype=np.bool_)
    moved = duplicates.moved(people, has_duplicate, key, night, is_duplicate)
    ref = [people.refs, people.refs[has_partner], moved]
    return np.concatenate(subgroup), np.concatenate(person), np.concatenate(ref)


def subgroup_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the subgroups extract as it stands on a night."""
    subgroup, person, _ = _members(lives, night)
    partner = lives.people.partner[person]
    household = HOUSEHOLD + np.where(partner >= 0, np.minimum(person, partner), person)
    listed = pl.DataFrame({"subgroup_ref": subgroup, "group_ref": household}).unique().sort("subgroup_ref")
    return listed.with_columns(pl.lit("PER").alias("only_subject_type_code"))


def subgroup_subject_rows(lives: Lives, night: int) -> pl.DataFrame:
    """Give the members extract as it stands on a night."""
    subgroup, _, ref = _members(lives, night)
    listed = pl.DataFrame({"subgroup_ref": subgroup, "person_ref": ref}).sort("subgroup_ref", "person_ref")
    return listed.with_columns(pl.lit("PER").alias("subject_type_code"))
