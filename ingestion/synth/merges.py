"""Invented duplicate records: made by mistake, used for a while, merged into the master, here and there undone."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ingestion.synth.chance import Flag, Whole, fate, happens, stream
from ingestion.synth.periods import NEVER, as_date
from ingestion.synth.persons import People

FIRST_DUPLICATE_REF, SECOND_DUPLICATE_REF = 5_000_001, 7_000_001
# Merging moves the records that hang on the old number within days; these share never move, in thousandths.
MOVED_WITHIN_DAYS, NEVER_MOVED = 20, 300


@dataclass(frozen=True)
class Duplicates:
    """The second records of people, by position. Days are since 1970, `NEVER` for what does not happen.

    A chain goes from the first duplicate to a second one and on to the person's own number.
    """

    seed: int
    exists: Flag
    created: Whole
    merged: Whole
    vanishes: Whole
    is_chain: Flag
    chain_merged: Whole
    """Day on which the second duplicate was merged into the person's own number."""
    wrong_from: Whole
    wrong_to: Whole
    """Days on which the person's own record was merged, wrongly, into the next person's, and parted again."""

    @property
    def count(self) -> int:
        """How many people there are."""
        return self.exists.size

    def in_use(self, person: Whole, recorded: Whole, key: Whole) -> Flag:
        """Tell which records, made about a person on a day, were made under the first duplicate."""
        is_current = (self.created[person] <= recorded) & (recorded < self.merged[person])
        is_used = fate(self.seed, "duplicate used", key, 2) == 0
        return np.asarray(self.exists[person] & is_current & is_used, dtype=np.bool_)

    def refs(self, people: People, person: Whole, recorded: Whole, key: Whole, night: int) -> Whole:
        """Give the number under which each record, told apart by its key, stands on a night."""
        return self.moved(people, person, key, night, self.in_use(person, recorded, key))

    def moved(self, people: People, person: Whole, key: Whole, night: int, is_duplicate: Flag) -> Whole:
        """Give the number under which records stand on a night, of which some began under the duplicate."""
        lag = fate(self.seed, "days to move", key, MOVED_WITHIN_DAYS)
        lag[fate(self.seed, "never moves", key, 1000) < NEVER_MOVED] = NEVER
        has_moved = night >= self.merged[person] + lag
        moved_to = np.where(
            self.is_chain[person] & (night < self.chain_merged[person]),
            SECOND_DUPLICATE_REF + person,
            people.refs[person],
        )
        return np.where(is_duplicate, np.where(has_moved, moved_to, FIRST_DUPLICATE_REF + person), people.refs[person])


def invent_duplicates(people: People, first_day: int, seed: int) -> Duplicates:
    """Invent second records for a few people in a hundred, most of which are found and merged in time."""
    rng = stream(seed, "duplicates")
    count = people.count
    created = first_day + rng.integers(-300, 1500, count)
    # The first person is the one whose name is searched for everywhere: one record, one name.
    exists = happens(rng, 40, count) & (created < people.death) & (np.arange(count) > 0)
    is_chain = exists & happens(rng, 150, count)
    merged = np.where(exists, created + rng.integers(20, 400, count), NEVER)
    vanishes = np.where(happens(rng, 500, count), merged + rng.integers(1, 40, count), NEVER)
    chain_merged = np.where(is_chain, merged + rng.integers(5, 120, count), NEVER)
    wrong_from = first_day + rng.integers(0, 1500, count)
    is_wrong = ~exists & happens(rng, 3, count) & (np.arange(count) < count - 1) & (np.arange(count) > 0)
    wrong_from = np.where(is_wrong, wrong_from, NEVER)
    wrong_to = np.where(is_wrong, wrong_from + rng.integers(2, 60, count), NEVER)
    return Duplicates(
        seed, exists, created, merged, vanishes, is_chain, chain_merged, wrong_from, wrong_to
    )  # fmt: skip


def merges(people: People, duplicates: Duplicates) -> pl.DataFrame:
    """Give every merge there ever is: who into whom, from which day, until which day, and whether rightly.

    One row is one merge. `from_day` is the first day on which it holds, `to_day` the first on which it no
    longer does. A person named as `person` is the one to whom the merged record truly belongs.
    """
    d, everybody = duplicates, np.arange(people.count, dtype=np.int64)
    first, chain, wrong = everybody[d.exists], everybody[d.is_chain], everybody[d.wrong_from < NEVER]
    to_master = np.where(d.is_chain[first], SECOND_DUPLICATE_REF + first, people.refs[first])
    return pl.concat(
        [
            _merge(FIRST_DUPLICATE_REF + first, to_master, first, d.merged[first], NEVER, is_right=True),
            _merge(
                SECOND_DUPLICATE_REF + chain, people.refs[chain], chain, d.chain_merged[chain], NEVER, is_right=True
            ),
            _merge(
                people.refs[wrong],
                people.refs[wrong + 1],
                wrong,
                d.wrong_from[wrong],
                d.wrong_to[wrong],
                is_right=False,
            ),
        ]
    )


def merge_rows(people: People, duplicates: Duplicates, night: int) -> pl.DataFrame:
    """Give the extract of merges in force on a night."""
    in_force = merges(people, duplicates).filter(pl.col("from_day") <= night, pl.col("to_day") > night)
    return in_force.sort("merged_person_ref").select(
        "merged_person_ref", "master_person_ref", as_date(pl.col("from_day")).alias("merged_date")
    )


def duplicate_records(duplicates: Duplicates, night: int) -> list[tuple[Whole, Whole]]:
    """Give the duplicate records listed on a night: their numbers, and the people they are of."""
    d, everybody = duplicates, np.arange(duplicates.count, dtype=np.int64)
    first = everybody[d.exists & (d.created <= night) & (d.vanishes > night)]
    chain = everybody[d.is_chain & (d.created <= night)]
    return [(FIRST_DUPLICATE_REF + first, first), (SECOND_DUPLICATE_REF + chain, chain)]


def _merge(
    merged: Whole, master: Whole, person: Whole, from_day: Whole, to_day: Whole | int, *, is_right: bool
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "merged_person_ref": merged,
            "master_person_ref": master,
            "person": person,
            "from_day": from_day,
            "to_day": np.broadcast_to(to_day, merged.shape),
            "is_right": np.full(merged.size, is_right),
        }
    )
