"""The published measures worked out a second time: plain pandas over the extract files, from the written rules alone.

Only definitions that are data are shared with the models: the setting order, the account groups and the variables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

DBT = Path(__file__).parent.parent / "dbt_project"
OPEN = pd.Timestamp("2200-01-01")  # stands for "not ended yet"


@cache
def variables() -> dict[str, Any]:
    """Give the configured part of the definitions."""
    return dict(yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"])


@cache
def seed(name: str) -> pd.DataFrame:
    return pd.read_csv(DBT / "seeds" / f"{name}.csv", dtype={"subjective_prefix": str})


def kinds_that(*properties: str) -> set[str]:
    """Give the kinds of service that have every property, such as is_long_term."""
    kinds = seed("setting_hierarchy")
    return set(kinds.loc[kinds[list(properties)].all(axis=1), "service_type_code"])


def number_of_kinds(column: str) -> dict[str, int]:
    """Give each kind of service its number in an order of the hierarchy."""
    kinds = seed("setting_hierarchy")
    return dict(zip(kinds["service_type_code"], kinds[column], strict=True))


@dataclass(frozen=True, repr=False)
class Care:
    """The Mosaic extracts of one council, dates read, open ends set far ahead."""

    persons: pd.DataFrame
    services: pd.DataFrame
    steps: pd.DataFrame


def newest(folder: Path, table: str) -> pd.DataFrame:
    """Read the newest extract of a table as text, as printed."""
    path = max(folder.glob(f"{table}_????-??-??.csv"))
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def every(folder: Path, table: str) -> pd.DataFrame:
    """Read all extracts of a table, oldest first, as text: for a feed of changes, which only says what is new."""
    paths = sorted(folder.glob(f"{table}_????-??-??.csv"))
    return pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths])


def days(printed: pd.Series) -> pd.Series:
    return pd.to_datetime(printed.where(printed != ""), format="%d/%m/%Y")


def who_is_who(merges: pd.DataFrame) -> Callable[[str], str]:
    """Tell whose a number is now: "chains occur" (contract of person_merges), so every merge is followed to its end.

    Numbers that lead back to one of themselves name no survivor; the lowest of them stands for all that come there.
    """
    master = dict(zip(merges["MERGED_PERSON_ID"], merges["MASTER_PERSON_ID"], strict=True))

    def follow(number: str) -> str:
        passed: list[str] = []
        while number in master and number not in passed:
            passed.append(number)
            number = master[number]
        return min(passed[passed.index(number) :], key=int) if number in passed else number

    return follow


def one_each(persons: pd.DataFrame, follow: Callable[[str], str]) -> pd.DataFrame:
    """Make one row of all records of a person: the survivor's is believed, then that of the lowest number."""
    identity = persons["person"].map(follow)
    belief = (identity != persons["person"]).astype(int)
    in_order = persons.assign(identity=identity, belief=belief, number=persons["person"].astype(int))
    in_order = in_order.sort_values(["identity", "belief", "number"])
    # The first value that is there, record by record.
    first = in_order.groupby("identity")[["born", "died"]].first().reset_index()
    return first.rename(columns={"identity": "person"})


def read_care(council: Path) -> Care:
    """Read persons, services and steps; each step gets the people it is about, its activity and the date it counts on.

    Numbers are those of the people they belong to now: "a merged person is counted once" (contract of person_merges).
    """
    persons, merges, services, steps, types, members = (
        newest(council / "mosaic", table)
        for table in (
            "persons",
            "person_merges",
            "service_elements",
            "workflow_steps",
            "workflow_step_types",
            "subgroup_subjects",
        )
    )
    follow = who_is_who(merges)
    activities = dict(zip(types["WORKFLOW_STEP_TYPE_ID"], types["ACTIVITY"], strict=True))
    dated = step_dates(steps, types, every(council / "mosaic", "form_answers"))
    persons = one_each(
        pd.DataFrame(
            {
                "person": persons["PERSON_ID"],
                "born": days(persons["DATE_OF_BIRTH"]),
                "died": days(persons["DATE_OF_DEATH"]),
            }
        ),
        follow,
    )
    persons["died"] = persons["died"].fillna(OPEN)
    services = pd.DataFrame(
        {
            "person": services["PERSON_ID"].map(follow),
            "element": services["ELEMENT_DETAIL_ID"].astype(int),
            "split": services["SPLIT_NUMBER"].astype(int),
            "kind": services["SERVICE_TYPE"],
            "start": days(services["START_DATE"]),
            "end": days(services["END_DATE"]).fillna(OPEN),
            "recorded_end": days(services["END_DATE"]),
            "reason": services["END_REASON"],
        }
    )
    steps = pd.DataFrame(
        {
            "step": steps["WORKFLOW_STEP_ID"],
            "subgroup": steps["SUBGROUP_ID"],
            "activity": steps["WORKFLOW_STEP_TYPE_ID"].map(activities),
            "status": steps["STEP_STATUS"],
            "date": dated,
        }
    )
    members = pd.DataFrame({"subgroup": members["SUBGROUP_ID"], "person": members["SUBJECT_COMPOUND_ID"].map(follow)})
    steps = steps.merge(members.drop_duplicates(), on="subgroup").drop(columns=["step", "subgroup"])
    # "Rows of people not in the persons extract do not count" (kpi_registry).
    services, steps = (rows[rows["person"].isin(persons["person"])] for rows in (services, steps))
    return Care(persons, until_death(services, persons), steps)


def step_dates(steps: pd.DataFrame, types: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """Give the day each step counts on: the answer to the question its type names, else the day of completion.

    "Where several forms of a step answer it, the form with the highest number counts" (contract of form_answers).
    """
    answers = answers.drop_duplicates(["FORM_ID", "QUESTION_USER_CODE"], keep="last")
    answers = answers[(answers["CHANGE_TYPE"] != "delete") & (answers["DATE_ANSWER"] != "")]
    answers = answers.assign(form=answers["FORM_ID"].astype(int)).sort_values("form")
    given = {
        (step, question): day
        for step, question, day in zip(
            answers["WORKFLOW_STEP_ID"], answers["QUESTION_USER_CODE"], answers["DATE_ANSWER"], strict=True
        )
    }
    asked = steps["WORKFLOW_STEP_TYPE_ID"].map(
        dict(zip(types["WORKFLOW_STEP_TYPE_ID"], types["BUSINESS_DATE_QUESTION"], strict=True))
    )
    answered = [given.get(pair, "") for pair in zip(steps["WORKFLOW_STEP_ID"], asked, strict=True)]
    return days(pd.Series(answered, index=steps.index, dtype=str)).fillna(days(steps["COMPLETED_ON"]))


def until_death(services: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """End services with the day of death, which is then the reason, and leave out rows that cover no day.

    "End on or after start; nothing after death": a service stays open in the system until somebody ends it, and
    "a completion recorded for a day after the death is none" (kpi_registry).
    """
    services = services.merge(persons[["person", "died"]], on="person")
    outlived = services["end"] > services["died"]
    services.loc[outlived, "reason"] = "died"
    services.loc[outlived, "end"] = services["died"]
    return services[services["start"] <= services["end"]]


def month_ends(as_at: date, how_many: int) -> list[pd.Timestamp]:
    """Give the last month ends on or before a day, oldest first (month_end_window)."""
    last = pd.offsets.MonthEnd().rollback(pd.Timestamp(as_at))
    return list(pd.date_range(end=last, periods=how_many, freq="ME"))


def first_month_ends(care: Care) -> dict[str, pd.Timestamp]:
    """Give the "first month end for which the extracts hold all that the measure needs" (int_calendar__measure_periods).

    K001 needs the services of the month end and reviews of twelve whole months; K007 and K016 count from 1 April.
    """
    # Services open when an extract begins bring start dates from long before, and so do deaths of people whose services
    # nobody had ended: only recorded ends show since when it is whole.
    services_from = care.services["recorded_end"].min().replace(day=1)
    reviews_from = care.steps.loc[is_review(care.steps), "date"].min().replace(day=1)
    year_from = year_start(services_from + pd.DateOffset(months=11))
    return {
        "K001": max(services_from, reviews_from + pd.DateOffset(months=11)) + pd.offsets.MonthEnd(),
        "K007": year_from + pd.offsets.MonthEnd(),
        "K016": year_from + pd.offsets.MonthEnd(),
    }


def year_start(day: pd.Timestamp) -> pd.Timestamp:
    """Give the 1 April on or before a day (R31)."""
    return pd.Timestamp(day.year - (day.month < 4), 4, 1)


def financial_year(day: pd.Timestamp) -> str:
    first = year_start(day).year
    return f"{first}/{(first + 1) % 100:02}"


def age(born: pd.Timestamp, day: pd.Timestamp) -> int:
    """Give the age in completed years; whoever is born on 29 February has the birthday on 1 March of other years."""
    return int(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


def age_band(born: pd.Timestamp, day: pd.Timestamp) -> str:
    if pd.isna(born):
        return "unknown"
    years = age(born, day)
    return "under 18" if years < 18 else "18-64" if years < 65 else "65+"


def percent(part: int, whole: int) -> Decimal:
    """Give a percentage with two decimals, halves away from zero."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def is_review(steps: pd.DataFrame) -> pd.Series:
    """Tell which steps are completed reviews: "Only COMPLETED counts as done" (contract of workflow_steps)."""
    return (steps["status"] == "COMPLETED") & steps["activity"].isin(["planned_review", "unplanned_review"])


def k001(care: Care, month_end: pd.Timestamp) -> dict[str, tuple[int, int]]:
    """K001: "Share of people with long-term support open at the month end who had a completed review, planned or
    unplanned, dated in the 12 months up to it". Gives reviewed and supported people of "all" and of each age band.
    """
    assert variables()["k001_minimum_support_months"] == 0, "people with less support are not left out here"
    services, steps = care.services, care.steps
    is_open = (services["start"] <= month_end) & (month_end <= services["end"])
    supported = set(services.loc[is_open & services["kind"].isin(kinds_that("is_long_term")), "person"])

    # Twelve whole calendar months: the month end of the year before is the first day that no longer counts.
    is_recent = (steps["date"] > month_end - pd.offsets.MonthEnd(12)) & (steps["date"] <= month_end)
    reviewed = supported & set(steps.loc[is_recent & is_review(steps), "person"])

    born = dict(zip(care.persons["person"], care.persons["born"], strict=True))
    bands = {person: age_band(born.get(person), month_end) for person in supported}
    counted = {"all": (len(reviewed), len(supported))}
    for band in sorted(set(bands.values())):
        members = {person for person in supported if bands[person] == band}
        counted[band] = (len(reviewed & members), len(members))
    return counted


def completions(services: pd.DataFrame, gap_days: int) -> list[pd.Timestamp]:
    """K007: "An episode counts in the month its last row ends with the reason completed"; rows of one person "with at
    most this many empty days between them are one episode" (reablement_gap_days). Gives the day of each completion.

    The last row is the one that ends last; of several ending on one day it is the one that began last.
    """
    reach = pd.Timedelta(days=gap_days + 1)
    in_order = services[services["kind"] == "reablement"].sort_values(["end", "start", "element", "split"])
    in_order["place"] = range(len(in_order))
    found = []
    for _, rows in in_order.groupby("person"):
        for row in rows[rows["reason"] == "completed"].itertuples():
            goes_on = (rows["place"] > row.place) & (rows["start"] <= row.end + reach)
            if not goes_on.any():
                found.append(row.end)
    return sorted(found)


def to_date(events: list[pd.Timestamp], month_end: pd.Timestamp) -> int:
    """Count events from 1 April to the month end."""
    return sum(year_start(month_end) <= event <= month_end for event in events)


def same_month_of(base_year: str, month_end: pd.Timestamp) -> pd.Timestamp:
    """Give the end of the same month in another financial year."""
    years = month_end.year - year_start(month_end).year
    return pd.Timestamp(int(base_year[:4]) + years, month_end.month, 1) + pd.offsets.MonthEnd()


def k007(completed: list[pd.Timestamp], month_end: pd.Timestamp, base_year: str) -> tuple[int, int, int]:
    """K007: "Completed reablement episodes in the year to date, less those in the same period of the base year".
    Gives completions to date, those of the base year and the difference.
    """
    now, base = to_date(completed, month_end), to_date(completed, same_month_of(base_year, month_end))
    return now, base, now - base


def places(services: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Give the setting a person is in on each day of a placement: where several overlap, the lowest priority number."""
    stays = services[services["kind"].isin(kinds_that("is_long_term", "is_accommodation"))].copy()
    stays["day"] = [
        pd.date_range(start, min(end, last)) for start, end in zip(stays["start"], stays["end"], strict=True)
    ]
    daily = stays.explode("day").dropna(subset="day")
    daily["priority"] = daily["kind"].map(number_of_kinds("overlap_priority"))
    daily = daily.sort_values(["person", "day", "priority"])
    return daily.drop_duplicates(["person", "day"])[["person", "day", "kind"]]


def moves_to_independence(care: Care, gap_days: int, last: pd.Timestamp) -> list[pd.Timestamp]:
    """K016: "Moves of people aged 18-64 from a long-term placement to a more independent one"; a placement "may follow
    another after at most this many empty days" (placement_move_gap_days). Gives the first day in the new setting.
    """
    daily = places(care.services, last)
    daily["order"] = daily["kind"].map(number_of_kinds("independence_order"))
    before = daily.groupby("person")[["day", "order"]].shift()
    is_near = (daily["day"] - before["day"]).dt.days - 1 <= gap_days
    moved = daily[is_near & (daily["order"] > before["order"])]
    born = dict(zip(care.persons["person"], care.persons["born"], strict=True))
    return sorted(
        day
        for person, day in zip(moved["person"], moved["day"], strict=True)
        if age_band(born.get(person), day) == "18-64"
    )


@dataclass(frozen=True)
class Spend:
    """One period of the ledger, in £ to the penny."""

    spend_gbp: Decimal
    income_gbp: Decimal
    net_gbp: Decimal
    line_count: int


def is_income(council_code: str, account: str) -> bool:
    """Tell whether an account holds income; "the longest matching prefix wins" (subjective_groups)."""
    groups = seed("subjective_groups")
    groups = groups[groups["council_code"] == council_code]
    matching = [
        (len(prefix), income)
        for prefix, income in zip(groups["subjective_prefix"], groups["is_income"], strict=True)
        if account.startswith(prefix)
    ]
    return bool(max(matching, default=(0, False))[1])


def ledger_spend(council: Path) -> dict[tuple[str, int], Spend]:
    """Add the ledger lines up by financial year and period, in whole pence, and to the extract's own trailer.

    Spend is the sum of the expenditure accounts, income that of the income accounts "shown as a positive amount", net
    "spend less income: the sum of all lines" (kpi_ledger_spend).
    """
    lines = newest(council / "ledger", "lines")
    is_trailer = lines["JOURNAL_ID"] == "TRAILER"
    (trailer,) = lines[is_trailer].itertuples(index=False)
    lines = lines[~is_trailer]
    pence = lines["AMOUNT"].map(in_pence)
    assert (len(lines), pence.sum()) == (int(trailer[1]), in_pence(trailer[2])), "not what the trailer says"

    accounts = {account: is_income(council.name, account) for account in lines["SUBJECTIVE"].unique()}
    income = -pence.where(lines["SUBJECTIVE"].map(accounts), 0)
    summed = (
        pd.DataFrame({"net": pence, "income": income, "count": 1})
        .groupby([lines["FINANCIAL_YEAR"], lines["PERIOD"].astype(int)])
        .sum()
    )
    return {
        (str(year), int(period)): Spend(
            pounds(row["net"] + row["income"]), pounds(row["income"]), pounds(row["net"]), int(row["count"])
        )
        for (year, period), row in summed.iterrows()
    }


def in_pence(pounds_printed: str) -> int:
    amount = Decimal(pounds_printed) * 100
    assert amount == int(amount), "a fraction of a penny"
    return int(amount)


def pounds(pence: int) -> Decimal:
    return Decimal(int(pence)) / 100
