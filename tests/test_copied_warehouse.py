"""A test's warehouse is a copy of one that was prepared, and is as good."""

from tests.conftest import TEMPLATE, Warehouse


def test_it_gives_each_role_what_a_prepared_one_gives(warehouse: Warehouse) -> None:
    rights = warehouse.rows(
        "select datname, (select array_agg(entry::text order by entry::text) from unnest(datacl) as entry) "
        f"from pg_database where datname in (current_database(), '{TEMPLATE}')"
    )
    assert len(rights) == 2
    assert rights[0][1] == rights[1][1]
    assert len(rights[0][1]) > 8
