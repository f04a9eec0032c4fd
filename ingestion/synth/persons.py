"""Invented people: names from a made-up list, NHS numbers from the test range, no one real."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ingestion.synth.chance import Flag, Whole, choose, happens, stream
from ingestion.synth.periods import as_date

FORENAMES = (
    "Aldra", "Brennic", "Corisa", "Dathan", "Elowick", "Farrin", "Gwendle", "Hestor", "Ilverne", "Jorrin",
    "Kestra", "Lorwin", "Maviel", "Nerrick", "Orlitha", "Perran", "Quilla", "Rosvin", "Sorrel", "Tamsent",
)  # fmt: skip
SURNAMES = (
    "Ambleforth", "Brackendale", "Corwhistle", "Dunnerley", "Eskwater", "Fernhollow", "Gorsebank",
    "Hathermoor", "Inglethwaite", "Jarrowmere", "Kittlewick", "Larkhanger", "Merriwold", "Netherpike",
    "Oakenshale", "Pennifold", "Quarrendale", "Rushmarsh", "Silverthwaite", "Thornmere",
    "Underlow", "Vennacott", "Wexcombe", "Yarrowfield",
)  # fmt: skip
FIRST_PERSON_REF = 400_001

# The canary: one person whose name, number, address and telephone must turn up nowhere behind the marts' door. The
# telephone number is of the range kept for fiction, typed into a field where no telephone belongs.
CANARY_TELEPHONE = "07700 900461"
CANARY_FORENAME, CANARY_SURNAME = f"Zefferina {CANARY_TELEPHONE}", "Quillcanary"
CANARY_ADDRESS = "The Old Aviary, 7 Warbler Steps, Netherperch"

# Whole years of age on the first day, by band, and the percentage of people in each.
AGES = np.array([(18, 40), (40, 65), (65, 80), (80, 95)])
AGE_SHARES = [21, 24, 27, 28]
YEARS_TO_LIVE = np.array([250, 70, 22, 8])
DAYS_PER_YEAR = 365.25
MOST_YEARS = 100

COST_CENTRES = ("D0822", "D0823", "D0824", "D0825", "D0826", "D0828", "D0829")
COST_CENTRE_SHARES = np.array([[18, 3, 2, 52, 17, 3, 5], [60, 5, 21, 3, 5, 5, 1]])


def nhs_test_numbers() -> Whole:
    """Give every NHS number of the 999 test range that has a check digit.

    The check digit is 11 less the weighted sum modulo 11 (weights 10 to 2); 11 becomes 0, and where it
    would be 10 no number is issued.
    """
    first_nine = 999_000_000 + np.arange(1_000_000, dtype=np.int64)
    weighted = np.zeros_like(first_nine)
    for place in range(9):
        weighted += first_nine // 10 ** (8 - place) % 10 * (10 - place)
    check = 11 - weighted % 11
    check[check == 11] = 0
    numbers: Whole = (first_nine * 10 + check)[check != 10]
    return numbers


# Each person has a number of the test range to themselves, so the range is the limit.
MOST_PEOPLE = 900_000


@dataclass(frozen=True)
class People:
    """Everyone, by position. Days are since 1970; everyone has a day of death, most of them far ahead."""

    count: int
    refs: Whole
    birth: Whole
    death: Whole
    is_older: Flag
    cost_centre: Whole
    partner: Whole
    """Position of the person they live with as a couple, or -1."""

    @property
    def age_group(self) -> Whole:
        """0 for people of 18 to 64 on the first day, 1 for people of 65 and over."""
        return self.is_older.astype(np.int64)

    def some(self, rng: np.random.Generator, count: int, alive_on: int, older_weight: int = 1) -> Whole:
        """Draw people alive on a day, older ones the likelier by a weight; nobody when all have died."""
        weight = np.cumsum(np.where(self.is_older, older_weight, 1) * (self.death > alive_on))
        if weight[-1] == 0:
            return np.zeros(0, dtype=np.int64)
        drawn = rng.integers(0, weight[-1], count)
        return np.searchsorted(weight, drawn, side="right").astype(np.int64)


def invent_people(count: int, first_day: int, seed: int) -> People:
    """Invent people aged 18 to 94 and alive on the first day, none of whom lives past 100."""
    rng = stream(seed, "people")
    band = choose(rng, AGE_SHARES, count)
    youngest, oldest = (AGES[band] * DAYS_PER_YEAR).T
    birth = first_day - rng.integers(np.ceil(youngest).astype(np.int64), oldest.astype(np.int64))
    days_to_live = rng.exponential(YEARS_TO_LIVE[band] * DAYS_PER_YEAR).astype(np.int64) + 1
    death = np.minimum(first_day + days_to_live, birth + int(MOST_YEARS * DAYS_PER_YEAR) - 1)
    is_older = band >= 2
    reached = np.cumsum(COST_CENTRE_SHARES, axis=1)[is_older.astype(np.int64)]
    return People(
        count=count,
        refs=FIRST_PERSON_REF + np.arange(count, dtype=np.int64),
        birth=birth,
        death=death,
        is_older=is_older,
        cost_centre=(rng.integers(0, 100, count)[:, None] >= reached).sum(axis=1),
        partner=_pair_up(rng, count),
    )


def _pair_up(rng: np.random.Generator, count: int) -> Whole:
    left = np.arange(0, count - 1, 2)
    left = left[happens(rng, 80, left.size)]
    partner = np.full(count, -1, dtype=np.int64)
    partner[left], partner[left + 1] = left + 1, left
    return partner


@dataclass(frozen=True)
class Details:
    """What is written down about everyone, by position: invented names, test numbers, an area that does not exist."""

    forename: npt.NDArray[np.str_]
    surname: npt.NDArray[np.str_]
    nhs_number: Whole
    has_nhs_number: Flag
    gender_code: npt.NDArray[np.str_]
    postcode: npt.NDArray[np.str_]


def invent_details(people: People, seed: int) -> Details:
    """Invent the details. The first person is the canary: findable by name, number, telephone and address."""
    rng = stream(seed, "person details")
    count = people.count
    numbers = rng.permutation(nhs_test_numbers())[:count]
    # ZX is no postcode area of the United Kingdom.
    area, sector = rng.integers(1, 20, count), rng.integers(1, 10, count)
    postcode = [f"ZX{a} {s}AA" for a, s in zip(area.tolist(), sector.tolist(), strict=True)]
    forename = np.array(FORENAMES, dtype="U40")[rng.integers(0, len(FORENAMES), count)]
    surname = np.array(SURNAMES, dtype="U40")[rng.integers(0, len(SURNAMES), count)]
    gender = np.array(["F", "M", "U"])[choose(rng, [56, 43, 1], count)]
    has_nhs_number = ~happens(rng, 20, count)
    forename[0], surname[0], has_nhs_number[0] = CANARY_FORENAME, CANARY_SURNAME, True
    return Details(forename, surname, numbers, has_nhs_number, gender, np.array(postcode))


def person_rows(people: People, details: Details, duplicates: list[tuple[Whole, Whole]], night: int) -> pl.DataFrame:
    """Give the persons extract as it stands on a night: deaths after it are not known.

    A duplicate record repeats the person's name and birth date; its NHS number was seldom asked for.
    """
    refs = np.concatenate([people.refs, *(ref for ref, _ in duplicates)])
    person = np.concatenate([np.arange(people.count, dtype=np.int64), *(of for _, of in duplicates)])
    is_own = np.arange(refs.size) < people.count
    has_number = details.has_nhs_number[person] & (is_own | (refs % 5 == 0))
    return pl.DataFrame(
        {
            "person_ref": refs,
            "nhs_number": details.nhs_number[person],
            "forename": details.forename[person],
            "surname": details.surname[person],
            "birth_date": people.birth[person],
            "death_date": people.death[person],
            "gender_code": details.gender_code[person],
            "postcode": details.postcode[person],
            "has_nhs_number": has_number,
            "is_own": is_own,
        }
    ).select(
        "person_ref",
        pl.when("has_nhs_number").then(pl.col("nhs_number").cast(pl.String)).alias("nhs_number"),
        "forename",
        "surname",
        as_date(pl.col("birth_date")),
        # A death is noted on the record in use; the duplicate's stays without.
        as_date(pl.when(pl.col("death_date") <= night, pl.col("is_own")).then("death_date")).alias("death_date"),
        "gender_code",
        "postcode",
    )
