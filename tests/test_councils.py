"""A reader sees the councils it was granted, on every mart and by every function, and no other by any trick."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.publication import publish
from ingestion.contract import ContractError, load_councils
from tests.conftest import Night, Warehouse
from tests.login import login, signed_in
from tests.test_publication import build, judge, published


@pytest.fixture
def county(night: Night) -> Iterator[psycopg.Connection[Any]]:
    """A reader of the county's figures alone."""
    with login(night.warehouse, ["county"]) as name, signed_in(night.warehouse, name) as session:
        yield session


def marts(warehouse: Warehouse) -> dict[str, bool]:
    """Every view that readers are offered, with whether it says of which council its rows are."""
    return dict(
        warehouse.rows(
            """
            select format('%I.%I', nspname, relname), exists (
                select from pg_attribute where attrelid = shown.oid and attname = 'council_code'
            )
            from pg_class as shown
            inner join pg_namespace as home on shown.relnamespace = home.oid
            where nspname in ('mart', 'mart_open') and relkind in ('v', 'm', 'r', 'p')
            """
        )
    )


def councils(session: psycopg.Connection[Any], mart: str) -> set[str]:
    rows = session.execute(f"select distinct council_code from {mart}").fetchall()  # type: ignore[arg-type]
    return {council for (council,) in rows}


def test_a_reader_sees_its_councils_on_every_mart(night: Night, county: psycopg.Connection[Any]) -> None:
    seen, hidden = set(), 0
    for mart, has_council in marts(night.warehouse).items():
        if not has_council or mart.startswith("mart_open."):
            continue
        shown = councils(county, mart)
        assert shown <= {"county", "all"}, mart
        seen |= shown
        hidden += bool({row for (row,) in night.warehouse.rows(f"select distinct council_code from {mart}")} - shown)
    assert seen == {"county", "all"}
    assert hidden > 50
    assert len(county.execute("select * from mart.dim_date limit 2").fetchall()) == 2


def test_the_installations_own_reader_sees_every_council(night: Night) -> None:
    with connect(night.warehouse.settings, Role.READER) as session:
        assert councils(session, "mart.kpi_values") == {"county", "exampleshire"}


def test_a_login_without_a_council_sees_what_is_for_all_and_nothing_else(night: Night) -> None:
    with login(night.warehouse, []) as name, signed_in(night.warehouse, name) as session:
        assert councils(session, "mart.kpi_values") == set()
        assert councils(session, "mart.dim_measure") == {"all"}


def test_taking_on_another_role_shows_no_more(night: Night, county: psycopg.Connection[Any]) -> None:
    for role in ("mart_reader", "council_county"):
        county.execute(f"set role {role}")
        if role == "mart_reader":
            assert councils(county, "mart.kpi_values") == set()
        county.execute("reset role")
    for role in ("carehouse_reader", "carehouse_owner", "council_all"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            county.execute(f"set role {role}")
    county.execute("set row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        county.execute("select count(*) from mart.kpi_values")


def test_source_rows_of_another_council_are_not_told(night: Night, county: psycopg.Connection[Any]) -> None:
    ((key,),) = night.warehouse.rows("select review_id from mart.fct_reviews order by 1 limit 1")
    asked = "select count(*) from mart.source_rows('fct_reviews', 'exampleshire', array[%s])"
    assert county.execute(asked, [key]).fetchall() == [(0,)]
    with connect(night.warehouse.settings, Role.READER) as session:
        assert session.execute(asked, [key]).fetchall() != [(0,)]


ATTACKS = (
    # Cheap and leaky: it tells whatever it is given, and the planner would run it first.
    "select count(*) from mart.kpi_a where tell(note)",
    "select count(*) from mart.kpi_a where note like '%' and tell(note)",
    # An error quotes the value that could not be converted.
    "select count(*) from mart.kpi_a where note::integer > 0",
    "select count(*) from mart.kpi_a where council_code = 'there' and note::integer > 0",
    "select count(*) from mart.kpi_a as a join mart.kpi_b as b on tell(a.note || b.note)",
    "select * from (select note from mart.kpi_a where council_code = 'there' offset 0) as x where tell(note)",
)


@pytest.fixture
def two_councils(warehouse: Warehouse) -> Iterator[Warehouse]:
    """Small marts with a row of each of two councils, and a function as leaky as can be."""
    build_id = build(warehouse)
    with warehouse.admin() as admin:
        for mart in ("kpi_a", "kpi_b"):
            admin.execute(
                f"alter table candidate.{mart} drop constraint whose_rows, add column note text;"
                f"update candidate.{mart} set council_code = 'here', note = 'told';"
                f"insert into candidate.{mart} (publication_id, council_code, value, note)"
                f" values ({build_id}, 'there', 2, 'secret');"
                f"alter table candidate.{mart} add constraint whose_rows check (council_code <> 'all')"
            )
        admin.execute(
            """
            create function mart.tell(note text) returns boolean language plpgsql cost 0.0001 as
            $$ begin raise notice 'told %', note; return true; end $$;
            grant execute on function mart.tell(text) to public
            """
        )
    judge(warehouse, build_id)
    publish(warehouse.settings, build_id)
    yield warehouse


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_condition_of_a_readers_own_meets_a_hidden_row(two_councils: Warehouse, attack: str) -> None:
    heard: list[str] = []
    with login(two_councils, ["here"]) as name, signed_in(two_councils, name) as session:
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        session.execute("set search_path = mart")
        try:
            session.execute(attack)
        except psycopg.errors.InvalidTextRepresentation as error:
            heard.append(str(error))
    assert not [words for words in heard if "secret" in words]
    # The attack itself works: what the reader may see, it tells.
    if "there" not in attack:
        assert [words for words in heard if "told" in words]


def test_the_attack_succeeds_on_a_mart_that_is_not_filtered_by_its_table(two_councils: Warehouse) -> None:
    """What the tests above would miss if the filter were a condition of the view."""
    heard: list[str] = []
    with two_councils.admin() as admin:
        admin.execute("alter table store.kpi_a no force row level security")
        admin.execute(
            "create or replace view mart.kpi_a as select * from store.kpi_a where store.shows_council(council_code)"
        )
    with login(two_councils, ["here"]) as name, signed_in(two_councils, name) as session:
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        session.execute("select count(*) from mart.kpi_a where mart.tell(note)")
    assert "told secret" in heard


def test_councils_are_asked_for_once_a_statement_and_partitions_and_indexes_serve(warehouse: Warehouse) -> None:
    for _ in range(3):
        build_id = build(warehouse)
        with warehouse.admin() as admin:
            admin.execute(
                f"alter table candidate.kpi_a drop constraint whose_rows;"
                f"insert into candidate.kpi_a (publication_id, council_code, value)"
                f" select {build_id}, 'council_' || n % 10, n from generate_series(1, 20000) as n;"
                f"delete from candidate.kpi_a where council_code = 'all';"
                f"alter table candidate.kpi_a add constraint whose_rows check (council_code <> 'all');"
                f"create index kpi_a_{build_id} on candidate.kpi_a (council_code, value);"
                f"analyze candidate.kpi_a"
            )
        judge(warehouse, build_id)
        publish(warehouse.settings, build_id)
    with login(warehouse, ["council_3"]) as name, signed_in(warehouse, name) as session:
        plan = "\n".join(
            line for (line,) in session.execute("explain (analyze, costs off, timing off) select * from mart.kpi_a")
        )
        assert (plan.count("Scan on"), plan.count("(never executed)")) == (3, 2), plan
        # Which publication, and which councils: each answered once, by whatever name this version of PostgreSQL calls it.
        assert plan.count("InitPlan") - plan.count("(InitPlan") == 3, plan
        assert "Result" in plan and "SubPlan" not in plan and "loops=2" not in plan, plan
        by_key = "\n".join(
            line
            for (line,) in session.execute(
                "explain (costs off) select * from mart.kpi_a where council_code = 'council_3' and value = 13"
            )
        )
        assert "Index" in by_key, by_key
        assert session.execute("select count(*) from mart.kpi_a").fetchone() == (2000,)


@pytest.mark.parametrize(
    "change",
    ["drop column council_code", "alter council_code drop not null", "drop constraint whose_rows"],
)
def test_a_mart_that_does_not_say_whose_its_rows_are_is_not_published(warehouse: Warehouse, change: str) -> None:
    current = published(warehouse)
    build_id = build(warehouse)
    with warehouse.admin() as admin:
        admin.execute(f"alter table candidate.kpi_b {change}")
    judge(warehouse, build_id)
    with pytest.raises(CarehouseError, match=r"mart\.kpi_b (has no council_code|does not say)"):
        publish(warehouse.settings, build_id)
    assert warehouse.rows("select publication_id from mart.publication where is_current") == [(current,)]


def test_a_council_cannot_be_called_all(tmp_path: Any) -> None:
    listed = tmp_path / "councils.yaml"
    listed.write_text("councils:\n  - {code: all, name: All, note: no}\n")
    with pytest.raises(ContractError, match="every council"):
        load_councils(listed)
