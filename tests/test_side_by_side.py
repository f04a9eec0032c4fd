"""What runs in one process, and what begins first, when tests run side by side."""

from tests.side_by_side import LONGEST, TESTS, files_that_share_a_night


def test_every_file_that_begins_first_is_there() -> None:
    files = [scope for scope in LONGEST if scope.endswith(".py")]
    assert [file for file in files if not (TESTS / file).is_file()] == []
    assert [scope for scope in LONGEST if scope not in files] == ["a night on embedded", "a night on debian_15"]


def test_no_file_of_a_shared_night_stands_alone() -> None:
    shared = files_that_share_a_night()
    assert {"test_night.py", "test_dbt_rules.py", "test_printed_tables.py"} <= shared
    assert shared & set(LONGEST) == set()
