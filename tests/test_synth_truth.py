"""What was planted agrees with what stands in the extracts, night by night."""

import csv
from collections import defaultdict
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from carehouse.errors import CarehouseError
from ingestion.synth import write_extracts
from ingestion.synth.nights import nights_until

COUNCIL = "exampleshire"
START, END = date(2017, 4, 1), date(2018, 10, 31)
NIGHTS = [date(2018, 3, 31), date(2018, 9, 30), END]
CANARY = "Zefferina"
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A council of three nights, and beside its landing folder the truth."""
    folder = tmp_path_factory.mktemp("council")
    write_extracts(folder / "landing", COUNCIL, 1500, START, END, 11, nights=NIGHTS, truth=folder / "truth")
    return folder


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def extract(council: Path, table: str, night: date = END) -> Rows:
    return read(council / "landing" / COUNCIL / "mosaic" / f"{table}_{night}.csv")


def truth(council: Path, table: str) -> Rows:
    rows = read(council / "truth" / COUNCIL / f"{table}.csv")
    assert rows
    return rows


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007


def test_the_merges_listed_on_each_night_are_those_in_force(council: Path) -> None:
    planted = truth(council, "merges")
    seen = []
    for night in NIGHTS:
        in_force = {
            (row["merged_person_ref"], row["master_person_ref"])
            for row in planted
            if row["from_date"] <= str(night) and not (row["undone_date"] and row["undone_date"] <= str(night))
        }
        listed = {
            (row["MERGED_PERSON_ID"], row["MASTER_PERSON_ID"]) for row in extract(council, "person_merges", night)
        }
        assert listed == in_force
        seen.append(listed)
    assert seen[0] < seen[2] or seen[0] - seen[2], "merges come between nights"
    assert {row["is_right"] for row in planted} == {"true", "false"}


def test_merged_numbers_vanish_from_some_tables_and_stay_in_others(council: Path) -> None:
    merged = {row["MERGED_PERSON_ID"] for row in extract(council, "person_merges")}
    listed = {row["PERSON_ID"] for row in extract(council, "persons")}
    assert merged & listed
    assert merged - listed
    masters = {row["MASTER_PERSON_ID"] for row in extract(council, "person_merges")}
    assert masters & merged, "some merges form a chain"
    used = {row["PERSON_ID"] for row in extract(council, "service_elements")}
    used |= {row["SUBJECT_COMPOUND_ID"] for row in extract(council, "subgroup_subjects")}
    assert (merged - listed) & used, "some rows keep a number that is gone"
    assert used <= listed | merged


def test_reviews_stand_in_the_extract_as_they_were_held(council: Path) -> None:
    """Each review typed in by the night and not open again is a completed step, and no other is."""
    reviews = {"2410", "2411", "2420", "2430", "241"}
    for night in NIGHTS:
        done = {
            row["step_ref"]
            for row in truth(council, "reviews")
            if row["completed_date"] <= str(night) and row["held_date"] >= str(date(2017, 4, 1))
            if not row["reopened_date"]
            or row["reopened_date"] > str(night)
            or (row["completed_again_date"] and row["completed_again_date"] <= str(night))
        }
        completed = {
            row["WORKFLOW_STEP_ID"]
            for row in extract(council, "workflow_steps", night)
            if row["WORKFLOW_STEP_TYPE_ID"] in reviews and row["STEP_STATUS"] == "COMPLETED"
        }
        earlier = {row["step_ref"] for row in truth(council, "reviews") if row["held_date"] < str(date(2017, 4, 1))}
        assert completed - earlier == done


def test_a_feed_of_changes_played_back_gives_the_dates_on_which_reviews_were_held(council: Path) -> None:
    answers: dict[tuple[str, str], dict[str, str]] = {}
    operations = defaultdict(int)
    for night in NIGHTS:
        for row in extract(council, "form_answers", night):
            key = (row["FORM_ID"], row["QUESTION_USER_CODE"])
            operations[night, row["CHANGE_TYPE"]] += 1
            assert (key in answers) == (row["CHANGE_TYPE"] != "insert")
            if row["CHANGE_TYPE"] == "delete":
                del answers[key]
            else:
                answers[key] = row
    assert operations[NIGHTS[0], "update"] == 0
    assert all(operations[NIGHTS[1], what] for what in ("insert", "update", "delete"))
    held = {row["step_ref"]: row["held_date"] for row in truth(council, "reviews")}
    told = {row["WORKFLOW_STEP_ID"]: day(row["DATE_ANSWER"]) for row in answers.values() if row["DATE_ANSWER"]}
    right = [str(told[step]) == held[step] for step in told.keys() & held.keys()]
    assert len(right) > 500
    assert sum(right) > 0.97 * len(right), "only a few dates await their correction"


def test_each_reablement_episode_lies_in_the_service_rows(council: Path) -> None:
    first, last = defaultdict(list), defaultdict(list)
    for row in extract(council, "service_elements"):
        if row["SERVICE_TYPE"] == "reablement":
            first[row["START_DATE"]].append(row)
            last[row["END_DATE"], row["END_REASON"]].append(row)
    ended = [
        row
        for row in truth(council, "reablement_episodes")
        if str(START) <= row["start_date"] and row["end_known_date"] <= str(END)
    ]
    assert len(ended) > 100
    for episode in ended:
        assert first[f"{date.fromisoformat(episode['start_date']):%d/%m/%Y}"]
        ended_on = f"{date.fromisoformat(episode['end_date']):%d/%m/%Y}"
        # Who died between two rows of an episode left it with the earlier one, which ends as changed.
        reasons = {episode["end_reason_code"]} | ({"changed"} if episode["end_reason_code"] == "died" else set())
        assert any(last[ended_on, reason] for reason in reasons)


def test_moves_are_visible_as_services_of_two_kinds(council: Path) -> None:
    services = defaultdict(set)
    master = {row["merged_person_ref"]: row["person_ref"] for row in truth(council, "merges")}
    for row in extract(council, "service_elements"):
        person = master.get(row["PERSON_ID"], row["PERSON_ID"])
        services[person].add((row["SERVICE_TYPE"], row["START_DATE"]))
    moved = [row for row in truth(council, "moves") if "2017-06-01" <= row["move_date"] <= "2018-09-01"]
    assert len(moved) > 20
    for move in moved:
        begun = f"{date.fromisoformat(move['move_date']):%d/%m/%Y}"
        assert (move["to_service_type_code"], begun) in services[move["person_ref"]]
        assert move["to_service_type_code"] != move["from_service_type_code"]


def test_a_saving_has_evidence(council: Path) -> None:
    """A credited split costs less than the one before, and one credited to a targeted review followed one."""
    steps = {row["WORKFLOW_STEP_ID"]: row["WORKFLOW_STEP_TYPE_ID"] for row in extract(council, "workflow_steps")}
    listed = {
        (row["ELEMENT_DETAIL_ID"], row["SPLIT_NUMBER"]): row["PROJECT"] for row in extract(council, "service_elements")
    }
    credited = [row for row in truth(council, "credited_changes") if str(START) <= row["start_date"] <= "2018-09-01"]
    assert {row["project_ref"] for row in credited} >= {"SP-REVIEWS", "SP-MOVES"}
    for change in credited:
        assert float(change["weekly_cost_after_gbp"]) < float(change["weekly_cost_before_gbp"])
        assert listed[change["element_ref"], change["split_number"]] == change["project_ref"]
        if change["project_ref"] == "SP-REVIEWS":
            assert steps[change["step_ref"]] == "2430"


def test_claims_are_what_was_planted_as_far_as_finance_has_decided(council: Path) -> None:
    planted = {row["claim_ref"]: row for row in truth(council, "savings_claims") if row["claimed_date"] <= str(END)}
    claimed = read(council / "landing" / COUNCIL / "programme" / f"savings_claims_{END}.csv")
    assert {row["CLAIM_REF"] for row in claimed} == set(planted)
    assert {row["project_ref"] for row in planted.values()} > {"SP-MOVES", "SP-PRICES", "SP-ADULTHOOD", "SP-TECHNOLOGY"}
    for row in claimed:
        planned = planted[row["CLAIM_REF"]]
        assert [row[name] for name in ("PROJECT_REF", "EVIDENCE", "EFFECTIVE_ON", "IN_YEAR", "FULL_YEAR")] == [
            planned[name] for name in ("project_ref", "evidence_code", "effective_date", "in_year_gbp", "full_year_gbp")
        ]
        decided = "rejected" if planned["is_rejected"] == "true" else "validated"
        assert row["VALIDATION"] == (decided if planned["decided_date"] <= str(END) else "waiting")
    assert {row["VALIDATION"] for row in claimed} == {"validated", "rejected", "waiting"}


def test_late_entries_and_corrections_show_between_nights(council: Path) -> None:
    by_night = [
        {(row["ELEMENT_DETAIL_ID"], row["SPLIT_NUMBER"]): row for row in extract(council, "service_elements", night)}
        for night in NIGHTS
    ]
    before, after = by_night[:2]
    late = [row for key, row in after.items() if key not in before and day(row["START_DATE"]) <= NIGHTS[0]]
    corrected = [key for key, row in before.items() if after[key]["UNIT_COST"] != row["UNIT_COST"]]
    ended_late = [
        key
        for key, row in before.items()
        if not row["END_DATE"] and after[key]["END_DATE"] and day(after[key]["END_DATE"]) <= NIGHTS[0]
    ]
    assert late
    assert corrected
    assert ended_late
    status = [
        {row["WORKFLOW_STEP_ID"]: row["STEP_STATUS"] for row in extract(council, "workflow_steps", night)}
        for night in NIGHTS
    ]
    assert [
        step
        for earlier, later in pairwise(status)
        for step, was in earlier.items()
        if was == "COMPLETED" and later[step] == "REOPENED"
    ]


def test_units_at_their_price_come_to_the_weekly_cost_exactly(council: Path) -> None:
    weeks = {"weekly": 1, "four_weekly": 4}
    kinds = set()
    for row in extract(council, "service_elements"):
        shares = [row[name] for name in ("COUNCIL_SHARE", "HEALTH_SHARE", "BCF_SHARE")]
        assert sum(round(float(share) * 100) for share in shares) == 10_000
        if row["WEEKLY_COST"]:
            kinds.add((row["UNIT"], row["FREQUENCY"]))
            pence, units = round(float(row["UNIT_COST"]) * 100), round(float(row["UNITS"]) * 100)
            assert pence * units == round(float(row["WEEKLY_COST"]) * 100) * 100 * weeks[row["FREQUENCY"]]
    assert kinds == {("hour", "weekly"), ("day", "weekly"), ("week", "weekly"), ("week", "four_weekly")}


def test_the_canary_is_one_person_and_recorded(council: Path) -> None:
    known = {row["what"]: row["value"] for row in truth(council, "canary")}
    assert known["forename"] == CANARY
    assert known["nhs_number"].startswith("999")
    (person,) = (row for row in extract(council, "persons") if CANARY in row["FORENAME"])
    assert (person["PERSON_ID"], person["NHS_ID"]) == (known["person_ref"], known["nhs_number"])
    assert known["telephone"] in person["FORENAME"]
    assert person["SURNAME"] == known["surname"]
    (address,) = (row for row in extract(council, "addresses") if row["ADDRESS"] == known["address"])
    assert address["PERSON_ID"] == known["person_ref"]


def test_references_between_tables_hold(council: Path) -> None:
    elements = {row["ELEMENT_DETAIL_ID"] for row in extract(council, "service_elements")}
    placed = extract(council, "placements")
    assert {row["ELEMENT_DETAIL_ID"] for row in placed + extract(council, "direct_payments")} <= elements
    types = {row["PLACEMENT_TYPE_ID"] for row in extract(council, "placement_types")}
    assert {row["PLACEMENT_TYPE_ID"] for row in placed} <= types
    steps = extract(council, "workflow_steps")
    assert {row["SUBGROUP_ID"] for row in steps} <= {row["SUBGROUP_ID"] for row in extract(council, "subgroups")}
    assert {row["ASSIGNEE_ID"] for row in steps} - {""} <= {row["WORKER_ID"] for row in extract(council, "workers")}
    teams = {row["TEAM_ID"] for row in extract(council, "teams")}
    assert {row["RESPONSIBLE_TEAM_ID"] for row in steps} - {""} <= teams
    providers = {row["PROVIDER_ID"] for row in extract(council, "providers")}
    assert {row["PROVIDER_ID"] for row in extract(council, "service_elements")} - {""} <= providers
    contacts = {row["WORKFLOW_STEP_ID"] for row in extract(council, "contacts")} - {""}
    assert contacts <= {row["WORKFLOW_STEP_ID"] for row in steps}


def test_nights_are_counted_back_from_the_last() -> None:
    assert nights_until(START, END, "once", 5) == [END]
    assert nights_until(START, END, "day", 3) == [date(2018, 10, 29), date(2018, 10, 30), END]
    assert nights_until(START, date(2018, 3, 15), "month-end", 3) == [
        date(2018, 1, 31),
        date(2018, 2, 28),
        date(2018, 3, 15),
    ]
    assert nights_until(date(2018, 10, 30), END, "day", 30) == [date(2018, 10, 30), END]
    with pytest.raises(CarehouseError, match="fortnight"):
        nights_until(START, END, "fortnight", 5)


def test_nights_out_of_order_and_a_truth_among_the_extracts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CarehouseError, match="in order"):
        write_extracts(tmp_path, COUNCIL, 1, START, END, 1, nights=[END, START])
    with pytest.raises(CarehouseError, match="apart from the extracts"):
        write_extracts(tmp_path, COUNCIL, 1, START, END, 1, truth=tmp_path / "truth")
    assert list(tmp_path.iterdir()) == []
