"""The independent calculation itself, against cases small enough to count on the fingers."""

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.independent.calendar import age_band, same_month_of
from tests.independent.care import Council
from tests.independent.counting import rounded
from tests.independent.coverage import held_from
from tests.independent.extracts import Extracts
from tests.independent.ledger import Spend, ledger_spend
from tests.independent.people import Known, who_is_who
from tests.independent.placements import k016
from tests.independent.reablement import k007
from tests.independent.reviews import k001

COUNCIL = "exampleshire"
OWN_DAY = "1960-06-15"


def printed(day: str) -> str:
    """Give a day as Mosaic prints it."""
    return "/".join(reversed(day.split("-")))


def extracts(
    folder: Path,
    services: Iterable[tuple[int, str, str, str, str]] = (),
    reviews: Iterable[tuple[int, str, str, str]] = (),
    people: dict[int, tuple[str, str]] | None = None,
    merges: Iterable[tuple[int, int]] = (),
    as_at: str = "2018-10-31",
) -> Council:
    """Write and read extracts of services (person, kind, start, end, reason), reviews (person, status, completed on,
    business date), people (birth, death) and merges (merged, master); person 1 is there by default.
    """
    reviews = list(reviews)
    tables: dict[str, list[list[Any]]] = {
        "persons": [
            ["PERSON_ID", "DATE_OF_BIRTH", "DATE_OF_DEATH"],
            *([person, *map(printed, known)] for person, known in (people or {1: (OWN_DAY, "")}).items()),
        ],
        "service_elements": [
            ["ELEMENT_DETAIL_ID", "SPLIT_NUMBER", "PERSON_ID", "SERVICE_TYPE", "START_DATE", "END_DATE", "END_REASON"],
            *(
                [number, 1, person, kind, printed(start), printed(end), reason]
                for number, (person, kind, start, end, reason) in enumerate(services, start=1)
            ),
        ],
        "workflow_steps": [
            ["WORKFLOW_STEP_ID", "SUBGROUP_ID", "WORKFLOW_STEP_TYPE_ID", "STEP_STATUS", "COMPLETED_ON"],
            *([step, person, 7, status, printed(done)] for step, (person, status, done, _) in enumerate(reviews)),
        ],
        "form_answers": [
            ["CHANGE_TYPE", "FORM_ID", "QUESTION_USER_CODE", "WORKFLOW_STEP_ID", "DATE_ANSWER"],
            *(["insert", step, "reviewDate", step, printed(held)] for step, (_, _, _, held) in enumerate(reviews)),
        ],
        "subgroup_subjects": [
            ["SUBGROUP_ID", "SUBJECT_COMPOUND_ID"],
            *([person, person] for person in {review[0] for review in reviews}),
        ],
        "workflow_step_types": [
            ["WORKFLOW_STEP_TYPE_ID", "ACTIVITY", "BUSINESS_DATE_QUESTION"],
            [7, "planned_review", "reviewDate"],
        ],
        "person_merges": [["MERGED_PERSON_ID", "MASTER_PERSON_ID"], *(map(list, merges))],
    }
    for table, rows in tables.items():
        path = folder / "mosaic" / f"{table}_{as_at}.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return Council(folder, on(as_at))


def on(day: str) -> date:
    return date.fromisoformat(day)


def counted(council: Council) -> dict[str, tuple[int, int]]:
    """Give reviewed and supported people of K001 on the as-at date, in all and by age band."""
    found = {"all": (0, 0)}
    for one in k001(council):
        if one.day == council.as_at:
            for part in ("all", council.people.age_band(one.person, one.day)):
                reviewed, supported = found.get(part, (0, 0))
                found[part] = (reviewed + int(one.numerator), supported + 1)
    return found


def completions(council: Council) -> list[date]:
    return sorted(one.day for one in k007(council))


@pytest.mark.parametrize(
    ("review", "month_end", "counts"),
    [
        ("2017-10-31", "2018-10-31", False),  # exactly twelve months before
        ("2017-11-01", "2018-10-31", True),
        ("2018-10-31", "2018-10-31", True),
        ("2018-11-01", "2018-10-31", False),
        ("2016-02-29", "2017-01-31", True),
        ("2016-02-29", "2017-02-28", False),  # twelve months are March to February
        ("2016-03-01", "2017-02-28", True),
        ("2015-02-28", "2016-02-29", False),
        ("2015-03-01", "2016-02-29", True),
    ],
)
def test_k001_looks_back_over_twelve_whole_months(tmp_path: Path, review: str, month_end: str, counts: bool) -> None:
    care = extracts(tmp_path, [(1, "homecare", "2014-01-01", "", "")], [(1, "COMPLETED", review, "")], as_at=month_end)
    assert counted(care)["all"] == (int(counts), 1)


@pytest.mark.parametrize(
    ("status", "completed", "held", "counts"),
    [
        ("COMPLETED", "2018-11-20", "2018-10-30", True),  # typed in late, held in time
        ("COMPLETED", "2018-10-30", "2017-10-30", False),  # held too long ago, typed in just now
        ("REOPENED", "2018-10-30", "2018-10-30", False),
        ("STARTED", "", "2018-10-30", False),
    ],
)
def test_k001_counts_completed_reviews_by_the_day_they_were_held(
    tmp_path: Path, status: str, completed: str, held: str, counts: bool
) -> None:
    care = extracts(tmp_path, [(1, "homecare", "2014-01-01", "", "")], [(1, status, completed, held)])
    assert counted(care)["all"] == (int(counts), 1)


def test_k001_counts_people_with_long_term_support_open_on_the_day(tmp_path: Path) -> None:
    services = [
        (1, "residential", "2018-01-01", "2018-10-31", "moved"),  # the last day is a day of support
        (1, "day_care", "2018-02-01", "2018-03-01", ""),  # inside the other
        (2, "homecare", "2018-01-01", "2018-10-30", "changed"),
        (3, "reablement", "2018-10-01", "", ""),
        (4, "homecare", "2018-01-01", "", ""),  # left open after death
        (5, "homecare", "2018-01-01", "", ""),  # died on the day itself
        (6, "homecare", "2018-10-31", "", ""),
        (7, "homecare", "2018-11-01", "", ""),
    ]
    people = dict.fromkeys(range(1, 8), (OWN_DAY, ""))
    people |= {4: (OWN_DAY, "2018-10-30"), 5: ("1953-11-01", "2018-10-31"), 6: ("1953-10-31", "")}
    assert counted(extracts(tmp_path, services, people=people)) == {"all": (0, 3), "18-64": (0, 2), "65+": (0, 1)}


def test_a_merged_person_is_counted_once(tmp_path: Path) -> None:
    """Person 1 was merged into 2 and 2 into 3: one person, reviewed under one number and supported under two."""
    services = [(1, "homecare", "2014-01-01", "", ""), (3, "day_care", "2014-01-01", "", "")]
    reviews = [(2, "COMPLETED", "2018-05-01", "")]
    people = {1: ("1960-01-01", "2018-12-01"), 3: (OWN_DAY, "")}
    apart = extracts(tmp_path, services, reviews, people)
    assert counted(apart)["all"] == (0, 2)
    care = extracts(tmp_path, services, reviews, people, merges=[(1, 2), (2, 3)])
    assert counted(care)["all"] == (1, 1)
    assert care.people.known == {3: Known(on(OWN_DAY), on("2018-12-01"))}
    rows = [
        (1, "reablement", "2018-01-01", "2018-01-10", "completed"),
        (2, "reablement", "2018-01-12", "2018-01-31", "completed"),
    ]
    episodes = extracts(tmp_path, rows, people={1: (OWN_DAY, ""), 2: (OWN_DAY, "")}, merges=[(1, 2)])
    assert completions(episodes) == [on("2018-01-31")]


def test_merges_are_followed_and_circles_broken_at_their_lowest_number() -> None:
    follow = who_is_who([(9, 8), (8, 10), (1, 2), (2, 30), (30, 4), (4, 2), (5, 5)])
    assert [follow(number) for number in (9, 8, 10)] == [10] * 3
    assert [follow(number) for number in (1, 2, 30, 4)] == [2] * 4
    assert [follow(number) for number in (5, 6)] == [5, 6]


def test_a_birthday_on_29_february_falls_on_1_march() -> None:
    born = on("1952-02-29")
    assert [age_band(born, on(day)) for day in ("2017-02-28", "2017-03-01")] == ["18-64", "65+"]
    assert age_band(on("1951-02-28"), on("2016-02-28")) == "65+"


def test_percentages_round_halves_away_from_zero() -> None:
    assert rounded(Fraction(100, 800)) == Decimal("0.13")
    assert rounded(Fraction(-1, 8)) == Decimal("-0.13")


@pytest.mark.parametrize(
    ("rows", "completed"),
    [
        ([("01-01", "02-28", "completed"), ("01-10", "01-20", "hospital")], ["02-28"]),  # nested: the outer row ends it
        ([("01-01", "02-28", "hospital"), ("01-10", "01-20", "completed")], []),
        # The third row lies inside the first one's reach, though far from the second.
        ([("01-01", "03-31", "hospital"), ("01-05", "01-06", ""), ("03-20", "04-10", "completed")], ["04-10"]),
        ([("01-01", "01-10", "completed"), ("01-18", "01-31", "completed")], ["01-31"]),  # seven empty days
        ([("01-01", "01-10", "completed"), ("01-19", "01-31", "completed")], ["01-10", "01-31"]),  # eight
        ([("01-01", "01-10", "completed"), ("01-12", "", "")], []),  # under way again
        ([("01-01", "01-31", "hospital"), ("01-05", "01-31", "completed")], ["01-31"]),  # the later beginner decides
        ([("01-01", "01-31", "completed"), ("01-05", "01-31", "hospital")], []),
        ([("01-01", "01-31", "completed"), ("02-05", "02-04", "withdrawn")], ["01-31"]),  # a row of no day
    ],
)
def test_k007_counts_the_last_row_of_an_episode(
    tmp_path: Path, rows: list[tuple[str, str, str]], completed: list[str]
) -> None:
    services = [(1, "reablement", f"2018-{start}", end and f"2018-{end}", reason) for start, end, reason in rows]
    assert completions(extracts(tmp_path, services)) == [on(f"2018-{day}") for day in completed]


@pytest.mark.parametrize(
    ("rows", "completed"),
    [
        ([("01-01", "01-31", "completed")], ["01-31"]),  # on the day of death itself
        ([("01-01", "02-01", "completed")], []),  # a day later, so death ended it
        ([("01-01", "", "")], []),
        ([("01-01", "01-20", "completed"), ("01-05", "02-01", "completed")], []),
        ([("01-01", "01-31", "completed"), ("01-05", "02-01", "completed")], []),  # the later beginner decides
        ([("01-01", "02-01", "completed"), ("01-05", "01-31", "completed")], ["01-31"]),
        ([("01-01", "01-20", "completed"), ("02-01", "02-10", "completed")], ["01-20"]),  # the second began after death
    ],
)
def test_k007_counts_nothing_that_death_ended(
    tmp_path: Path, rows: list[tuple[str, str, str]], completed: list[str]
) -> None:
    services = [(1, "reablement", f"2018-{start}", end and f"2018-{end}", reason) for start, end, reason in rows]
    care = extracts(tmp_path, services, people={1: (OWN_DAY, "2018-01-31")})
    assert completions(care) == [on(f"2018-{day}") for day in completed]


def test_the_base_year_is_compared_by_the_same_months() -> None:
    endings = ["2020-02-29", "2019-04-30", "2018-03-31"]
    assert [same_month_of("2017/18", on(day)) for day in endings] == [
        on("2018-02-28"),
        on("2017-04-30"),
        on("2018-03-31"),
    ]
    assert same_month_of("2019/20", on("2018-02-28")) == on("2020-02-29")


def moves(folder: Path, *stays: tuple[str, str, str], born: str = OWN_DAY) -> list[str]:
    """Give the days on which person 1, by these stays (kind, start, end) of 2018, moved to more independence."""
    services = [(1, kind, f"2018-{start}", end and f"2018-{end}", "moved") for kind, start, end in stays]
    care = extracts(folder, services, people={1: (born, "")})
    return [f"{day:%m-%d}" for day in sorted(one.day for one in k016(care))]


def test_k016_counts_moves_up_the_order_within_the_gap(tmp_path: Path) -> None:
    after_28_days = ("supported_living", "03-01", "")
    assert moves(tmp_path, ("residential", "01-01", "01-31"), after_28_days) == ["03-01"]
    assert moves(tmp_path, ("residential", "01-01", "01-30"), after_28_days) == []
    assert moves(tmp_path, ("supported_living", "01-01", "01-31"), ("residential", "02-01", "")) == []
    assert moves(tmp_path, ("residential", "01-01", "01-31"), ("homecare", "02-01", "")) == []
    twice = [("nursing", "01-01", "01-31"), ("residential", "02-01", "02-28"), ("shared_lives", "03-01", "")]
    assert moves(tmp_path, *twice) == ["02-01", "03-01"]


def test_k016_takes_the_setting_in_force_where_stays_overlap(tmp_path: Path) -> None:
    assert moves(tmp_path, ("residential", "01-01", "03-31"), ("supported_living", "02-01", "02-28")) == []
    assert moves(tmp_path, ("residential", "01-01", "03-31"), ("supported_living", "02-01", "")) == ["04-01"]
    assert moves(tmp_path, ("residential", "02-01", "02-14"), ("supported_living", "01-01", "")) == ["02-15"]


def test_k016_takes_the_age_on_the_day_of_the_move(tmp_path: Path) -> None:
    stays = [("residential", "01-01", "01-31"), ("supported_living", "02-01", "")]
    assert moves(tmp_path, *stays, born="1953-02-02") == ["02-01"]
    assert moves(tmp_path, *stays, born="1953-02-01") == []


def test_the_first_month_is_the_first_one_held_whole(tmp_path: Path) -> None:
    services = [(1, "homecare", "2014-12-24", "", ""), (1, "homecare", "2016-01-01", "2016-05-09", "changed")]
    held = extracts(tmp_path, services, [(1, "COMPLETED", "2015-03-01", ""), (1, "STARTED", "2013-03-01", "")])
    assert held_from(held, "services") == on("2016-05-01")
    assert held_from(held, "reviews") == on("2015-03-01")
    held = extracts(tmp_path, services, [(1, "COMPLETED", "2016-03-20", "2016-03-12")])
    assert held_from(held, "reviews") == on("2016-03-01")


def test_only_recorded_ends_of_services_that_count_show_what_is_held(tmp_path: Path) -> None:
    services = [
        (1, "reablement", "2016-04-01", "2016-04-30", "completed"),  # of any kind
        (1, "homecare", "2015-05-02", "2015-05-01", "changed"),  # a row of no day
        (2, "homecare", "2010-01-01", "", ""),  # left open after death
        (2, "homecare", "2010-01-01", "2016-08-31", "died"),  # ended long after it
        (3, "homecare", "2010-01-01", "2011-01-31", "changed"),  # not in the persons extract
    ]
    reviews = [(1, "COMPLETED", "2017-01-31", ""), (3, "COMPLETED", "2011-01-31", "")]
    held = extracts(tmp_path, services, reviews, {1: (OWN_DAY, ""), 2: (OWN_DAY, "2012-06-15")})
    assert held_from(held, "services") == on("2016-04-01")
    assert held_from(held, "reviews") == on("2017-01-01")


def test_ledger_pence_are_exact_and_the_trailer_holds(tmp_path: Path) -> None:
    head = "JOURNAL_ID,JOURNAL_LINE,FINANCIAL_YEAR,PERIOD,SUBJECTIVE,AMOUNT\n"
    lines = (
        "A,1,2018/19,1,520040,0.10\nA,2,2018/19,1,520040,0.20\nA,3,2018/19,1,920180,-0.07\n"
        "B,1,2018/19,13,920180,5.00\nB,2,2018/19,13,090000,-9.99\n"
    )
    path = tmp_path / COUNCIL / "ledger" / "lines_2018-10-31.csv"
    path.parent.mkdir(parents=True)
    path.write_text(head + lines + "TRAILER,5,-4.76\n", encoding="utf-8")
    assert ledger_spend(Extracts(tmp_path / COUNCIL, on("2018-10-31"))) == {
        ("2018/19", 1): Spend(Decimal("0.30"), Decimal("0.07"), Decimal("0.23"), 3),
        ("2018/19", 13): Spend(Decimal("-9.99"), Decimal("-5.00"), Decimal("-4.99"), 2),
    }
    path.write_text(head + lines + "TRAILER,5,-4.75\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="trailer"):
        ledger_spend(Extracts(tmp_path / COUNCIL, on("2018-10-31")))
