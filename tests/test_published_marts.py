"""What readers' tools see of the marts: plain types, words on everything, and nothing that cannot be published."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg2
import psycopg2.extras
import pytest

from carehouse.database import Role, url
from carehouse.errors import CarehouseError
from carehouse.publication import publish
from tests.conftest import Night, Warehouse
from tests.test_publication import build, judge, published

VIEWS = """
    select shown.oid as view_id, shown.relname as mart_name
    from pg_class as shown
    where shown.relnamespace in (to_regnamespace('mart'), to_regnamespace('mart_open')) and shown.relkind = 'v'
"""
PLAIN = {"text", "bigint", "integer", "numeric", "date", "timestamp with time zone", "boolean"}
UNDERSTOOD = (str, int, Decimal, date, datetime, bool, type(None))


def test_every_column_of_every_mart_has_a_type_that_every_tool_understands(night: Night) -> None:
    columns = night.warehouse.rows(
        f"""
        select mart_name, attname, format_type(atttypid, atttypmod), store.is_plain(atttypid, atttypmod)
        from ({VIEWS}) as shown
        inner join pg_attribute on attrelid = view_id and attnum > 0
        """
    )
    assert len({mart for mart, *_ in columns}) > 80
    assert [column for column in columns if not column[3]] == []


def test_the_catalogue_that_tools_ask_says_so_too(night: Night) -> None:
    columns = night.warehouse.rows(
        "select table_name, column_name, data_type, numeric_precision, numeric_scale "
        "from information_schema.columns where table_schema like 'mart%'",
        Role.READER,
    )
    assert len(columns) > 1400
    for mart, column, kind, precision, scale in columns:
        assert kind in PLAIN, f"{mart}.{column}"
        assert kind != "numeric" or (precision <= 28 and scale is not None), f"{mart}.{column}"


def test_an_old_client_reads_a_row_of_every_mart(night: Night) -> None:
    """Statements unprepared, values as text: as old drivers do."""
    with (
        psycopg2.connect(url(night.warehouse.settings, Role.READER)) as reader,
        reader.cursor(cursor_factory=psycopg2.extras.DictCursor) as asking,
    ):
        asking.execute("select distinct mart_name from mart.data_dictionary order by 1")
        marts = [row[0] for row in asking.fetchall()]
        assert len(marts) > 80
        for mart in marts:
            asking.execute(f'select * from mart."{mart}" limit 1')
            for row in asking.fetchall():
                assert all(isinstance(value, UNDERSTOOD) for value in row), mart


def test_every_mart_column_and_function_is_described(night: Night) -> None:
    silent = night.warehouse.rows(
        f"""
        select mart_name, attname
        from ({VIEWS}) as shown
        inner join pg_attribute on attrelid = view_id and attnum > 0
        where coalesce(col_description(view_id, attnum), '') = '' or coalesce(obj_description(view_id), '') = ''
        union all
        select proname, null
        from pg_proc
        where pronamespace in (to_regnamespace('mart'), to_regnamespace('mart_open'))
            and coalesce(obj_description(oid, 'pg_proc'), '') = ''
        """
    )
    assert silent == []
    assert night.warehouse.rows("select count(*) > 0 from pg_proc where pronamespace = 'mart'::regnamespace")[0][0]


def test_the_dictionary_says_what_one_row_is_and_in_which_unit(night: Night) -> None:
    dictionary = night.warehouse.rows(
        "select mart_name || '.' || column_name, one_row_is, unit, mart_class, is_about_persons, deprecation_date "
        "from mart.data_dictionary",
        Role.READER,
    )
    assert [column for column, one_row_is, *_ in dictionary if not one_row_is] == []
    said = {column: rest for column, *rest in dictionary}
    one_value = (
        "One row is one value of one measure of one council for one period, for the whole council or one part of it"
    )
    assert said["kpi_values.value"] == [one_value, "see unit_code", "figures", False, None]
    assert said["fct_ledger_lines.amount_gbp"][1:] == ["£", "fact", False, None]
    assert said["kpi_portfolio_status.target_total_gbp_k"][1] == "£000"
    assert said["dim_person.person_id"][1:4] == [None, "dimension", True]
    assert {column.partition(".")[0] for column, *rest in dictionary if rest[2] == "about_the_data"} == {
        "data_dictionary",
        "data_lineage",
        "data_quality",
        "data_quality_trend",
        "publication",
        "publication_batches",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "text[]",
        "json",
        "jsonb",
        "int4range",
        "uuid",
        "name",
        "regclass",
        '"char"',
        "varchar(9)",
        "double precision",
        "timestamp",
        "interval",
        "numeric",
        "numeric(29, 2)",
        "pg_catalog.pg_class",
    ],
)
def test_a_type_that_old_tools_do_not_understand_is_not_published(warehouse: Warehouse, kind: str) -> None:
    build_id = build(warehouse, columns=f", other {kind}")
    judge(warehouse, build_id)
    with pytest.raises(CarehouseError, match=r"Not published: column other of mart\.kpi_a is .*; use text, bigint"):
        publish(warehouse.settings, build_id)
    assert warehouse.rows("select count(*) from mart.publication") == [(0,)]


def test_an_enumeration_is_not_published_either(warehouse: Warehouse) -> None:
    with warehouse.admin() as admin:
        admin.execute("create type public.colour as enum ('red'); grant usage on schema public to carehouse_builder")
    build_id = build(warehouse, columns=", other public.colour")
    judge(warehouse, build_id)
    with pytest.raises(CarehouseError, match=r"column other of mart\.kpi_a is public\.colour"):
        publish(warehouse.settings, build_id)


@pytest.mark.parametrize(
    "kind", ["text", "bigint", "integer", "date", "timestamptz", "boolean", "numeric(28, 12)", "numeric(5, 2)"]
)
def test_plain_types_are_published(warehouse: Warehouse, kind: str) -> None:
    publication_id = published(warehouse, columns=f", other {kind}")
    assert warehouse.rows("select other from mart.kpi_a", Role.READER) == [(None,)]
    assert warehouse.rows("select publication_id from mart.publication", Role.READER) == [(publication_id,)]


def test_the_words_of_a_mart_may_be_changed_without_its_columns(warehouse: Warehouse) -> None:
    published(warehouse)
    build_id = build(warehouse)
    words: Any = (
        "What it holds.\n\nOne row is one thing.\nDeprecated: read mart.kpi_a_v2 instead; it goes after 2030-06-30."
    )
    with warehouse.admin() as admin:
        admin.execute(f"comment on table candidate.kpi_a is '{words}'")  # type: ignore[arg-type]
    judge(warehouse, build_id)
    publish(warehouse.settings, build_id)
    assert warehouse.rows(
        "select distinct mart_description, one_row_is, deprecation_date, replaced_by from mart.data_dictionary "
        "where mart_name = 'kpi_a'",
        Role.READER,
    ) == [("What it holds.", "One row is one thing", date(2030, 6, 30), "kpi_a_v2")]


def test_every_row_of_figures_says_as_at_which_day_and_how_far_it_can_still_change(night: Night) -> None:
    columns = night.warehouse.rows(
        "select mart_name, column_name from mart.data_dictionary where mart_class = 'figures'", Role.READER
    )
    figures = {mart for mart, _ in columns}
    assert len(figures) > 25
    # The rows behind figures: theirs is the status of the figure.
    for mart in figures - {"kpi_contributions"}:
        assert {column for named, column in columns if named == mart} >= {
            "publication_id",
            "council_code",
            "as_at_date",
            "data_status_code",
        }, mart
        said = night.warehouse.rows(
            f"select distinct publication_id, as_at_date, data_status_code from mart.{mart}", Role.READER
        )
        assert {(publication_id, day) for publication_id, day, _ in said} <= set(
            night.warehouse.rows(
                "select publication_id, as_at_date from mart.publication where is_current", Role.READER
            )
        )
        assert {status for *_, status in said} <= {"final", "provisional", "restated", "stale_source"}


def test_wide_marts_and_single_figures_say_the_same_of_a_month(night: Night) -> None:
    said = night.warehouse.rows(
        """
        select wide.period_end_date, wide.data_status_code, single.data_status_code
        from mart.kpi_carers as wide
        inner join mart.kpi_values as single using (council_code, period_end_date)
        where single.measure_id = 'K055' and single.breakdown_type = 'council' and single.period_type = 'year_to_date'
        """,
        Role.READER,
    )
    assert {wide for _, wide, _ in said} == {"final", "provisional"}
    assert [row for row in said if row[1] != row[2]] == []
