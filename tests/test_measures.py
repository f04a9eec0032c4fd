"""The registry of measures: every measure once, and nothing in an entry guessed."""

from pathlib import Path

import pytest
import yaml

from carehouse.measure_files import wanted
from carehouse.measures import ALL_MEASURES, MeasuresError, load

ENTRY = """
measures:
  - measure_id: K001
    measure_name: People reviewed
    versions:
      - valid_from: 2016-04-01
        obtained: calculated
        from: [fct_reviews]
        definition: Share of people reviewed
        numerator: People reviewed
        denominator: People
        formula: percent
        unit: percent
        polarity: high
        periods: [month_end]
        target_basis: none
        tolerance: 0
        needs: [{dataset: reviews, months: 12}]
        source: mosaic
        owner: Performance
        cautions: None.
"""
SECOND_VERSION = (
    yaml.safe_dump(yaml.safe_load(ENTRY)["measures"][0]["versions"], sort_keys=False)
    .replace("2016-04-01", "2018-04-01")
    .replace("\n", "\n      ")
)


def registry(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return folder


def test_all_seventy_measures_are_registered() -> None:
    registered = load()
    assert [one.measure.measure_id for one in registered] == list(ALL_MEASURES)
    assert len(registered) == 70
    # The issue says which are worked out from facts at least.
    calculated = {one.measure.measure_id for one in registered if one.measure.versions[-1].obtained == "calculated"}
    ranges = [(1, 9), (11, 12), (16, 21), (25, 34), (38, 49), (51, 52), (67, 69), (10, 10)]
    assert calculated >= {f"K{number:03}" for first, last in ranges for number in range(first, last + 1)}


def test_a_measure_that_is_not_calculated_says_what_it_comes_from_or_waits_for() -> None:
    for one in load():
        version = one.measure.versions[-1]
        if version.obtained != "calculated":
            assert version.formula == "as_stated", one.measure.measure_id
            assert all(version.sources), one.measure.measure_id


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("polarity:", "polarty:"), "K001: version from 2016-04-01, polarty: not a field of the registry"),
        (("        polarity: high\n", ""), "K001: version from 2016-04-01, polarity: missing"),
        (("formula: percent", "formula: share"), "K001: version from 2016-04-01, formula: Input should be 'total'"),
        (("periods: [month_end]", "periods: [monthly]"), "K001: version from 2016-04-01, periods, 1: Input should be"),
        (("unit: percent", "unit: persons"), "K001: version from 2016-04-01, unit: Input should be 'percent'"),
        (("unit: percent", "unit: people"), "K001: version from 2016-04-01: unit must be percent with formula percent"),
        (("        denominator: People\n", ""), "denominator is missing: formula percent divides by it"),
        (("obtained: calculated", "obtained: reported"), "formula must be as_stated where a measure is reported"),
        (("months: 12", "months: 0"), "K001: version from 2016-04-01, needs, 1, months: "),
        (
            ("dataset: reviews", "dataset: review"),
            "needs, 1, dataset: there is no dataset review in datasets.csv; there ",
        ),
        (("months: 12", "moths: 12"), "K001: version from 2016-04-01, needs, 1, moths: not a field of the registry"),
        (("[fct_reviews]", "[the facts]"), "from must name tables of the marts where a measure is calculated"),
        (("periods: [month_end]", "periods: [month, month]"), "periods names month more than once"),
        (("tolerance: 0", "breakdowns: [other]\n        tolerance: 0"), "other_breakdown must say what 'other' is"),
        (("2016-04-01", "April 2016"), "valid_from: Input should be a valid date"),
        (("measure_id: K001", "measure_id: 1"), "measure_id"),
        (("measure_name:", "measure_name: A\n    measure_name:"), "the key 'measure_name' is given twice"),
        (("measures:", "measure:"), "must hold one list, measures"),
        (("measure_id: K001", "measure_id: K071"), "no entry for K001"),
    ],
)
def test_an_entry_that_is_not_understood_is_refused_with_file_measure_and_field(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    assert change[0] in ENTRY
    folder = registry(tmp_path, reviews=ENTRY.replace(*change, 1))
    with pytest.raises(MeasuresError) as refused:
        load(folder, ["K001"])
    assert complaint in str(refused.value)
    assert "reviews.yml" in str(refused.value) or str(folder) in str(refused.value)


def test_an_entry_as_it_should_be_is_read(tmp_path: Path) -> None:
    (one,) = load(registry(tmp_path, reviews=ENTRY), ["K001"])
    assert (one.area, one.measure.measure_name) == ("reviews", "People reviewed")


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    folder = registry(
        tmp_path,
        reviews=ENTRY.replace("percent", "share"),
        carers=ENTRY.replace("K001", "K054").replace("owner: Performance", "ownr: Performance"),
    )
    with pytest.raises(MeasuresError) as refused:
        load(folder, ["K001", "K054"])
    told = str(refused.value)
    for part in (
        "reviews.yml: K001: version from 2016-04-01, formula",
        "carers.yml: K054",
        "ownr: not a field",
        "owner: missing",
    ):
        assert part in told


def test_a_measure_in_two_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasuresError, match="K001 is there 2 times, in carers, reviews"):
        load(registry(tmp_path, reviews=ENTRY, carers=ENTRY), ["K001"])


@pytest.mark.parametrize("start", ["2016-04-01", "2015-04-01"])
def test_versions_that_overlap_are_refused(tmp_path: Path, start: str) -> None:
    text = ENTRY + "      " + SECOND_VERSION.replace("2018-04-01", start).rstrip() + "\n"
    with pytest.raises(MeasuresError, match="K001: versions: each version's valid_from must be later"):
        load(registry(tmp_path, reviews=text), ["K001"])


def test_a_version_holds_until_the_next_begins(tmp_path: Path) -> None:
    text = ENTRY + "      " + SECOND_VERSION.rstrip() + "\n"
    others = [f"  - measure_id: K{number:03}{ENTRY.split('K001', 1)[1]}" for number in range(2, 71)]
    registry(tmp_path, reviews=text, others="measures:\n" + "".join(others))

    files = {path.name: content for path, content in wanted(tmp_path, tmp_path).items()}

    first, second = (line for line in files["kpi_registry.csv"].splitlines() if line.startswith("K001,"))
    assert first.endswith(",2016-04-01,2018-04-01")
    assert second.endswith(",2018-04-01,")
    assert files["kpi_needs.csv"].splitlines()[1:3] == [
        "K001,2016-04-01,reviews,12,false",
        "K001,2018-04-01,reviews,12,false",
    ]
    assert "In force from 2016-04-01 until the day before 2018-04-01." in files["measures.md"]
