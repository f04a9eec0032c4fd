"""What the candidate schema really holds, read from the database's own catalogue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

# pg_catalog, because information_schema hides a table that this role was not granted.
_COLUMNS = """
    select pg_class.relname, pg_attribute.attname, pg_type.typcategory in ('S', 'A')
        or pg_type.typname in ('json', 'jsonb', 'xml', 'int8')
    from pg_catalog.pg_class
    left join pg_catalog.pg_attribute
        on pg_attribute.attrelid = pg_class.oid and pg_attribute.attnum > 0 and not pg_attribute.attisdropped
    left join pg_catalog.pg_type on pg_type.oid = pg_attribute.atttypid
    where pg_class.relnamespace = 'candidate'::regnamespace and pg_class.relkind in ('r', 'p', 'v', 'm', 'f')
    order by pg_class.relname, pg_attribute.attnum
"""

# A primary key that may be broken until a transaction ends, or that other tables' rows may break, proves nothing.
_KEYS = """
    select pg_class.relname, array_agg(pg_attribute.attname::text)
    from pg_catalog.pg_index
    inner join pg_catalog.pg_class on pg_index.indrelid = pg_class.oid
    inner join pg_catalog.pg_attribute
        on pg_index.indrelid = pg_attribute.attrelid and pg_attribute.attnum = any (pg_index.indkey)
    where
        pg_class.relnamespace = 'candidate'::regnamespace
        and pg_class.relkind = 'r'
        and not pg_class.relhassubclass
        and pg_index.indisprimary
        and pg_index.indimmediate
        and pg_index.indisvalid
    group by pg_class.relname
"""


@dataclass(frozen=True)
class Catalogue:
    """The candidate tables.

    `columns` gives, for each table, its columns in order and whether each can hold a text or a long number,
    and so a name or an NHS number. `measures` is the ids of the measure registry, `sources` the source tables that have
    a contract (`mosaic.persons`); each None if what lists them is missing or empty. `keys` gives the columns of which
    the database itself sees to it that no two rows of a table have the same, and each has a value.
    """

    columns: Mapping[str, Mapping[str, bool]]
    measures: frozenset[str] | None
    sources: frozenset[str] | None = None
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def keeps_unique(self, table: str, columns: Iterable[str]) -> bool:
        """Say whether the database keeps any two rows of `table` from having the same values in all of `columns`."""
        key = self.keys.get(table)
        return key is not None and key <= {*columns}

    @classmethod
    def read(cls, connection: psycopg.Connection[tuple[Any, ...]]) -> "Catalogue":
        """Read it through `connection`."""
        columns: dict[str, dict[str, bool]] = {}
        for table, column, holds_text in connection.execute(_COLUMNS):
            columns.setdefault(table, {})
            if column is not None:
                columns[table][column] = holds_text
        has_measures = "measure_id" in columns.get("dim_measure", {})
        return cls(
            columns,
            _names(connection, "select measure_id from candidate.dim_measure") if has_measures else None,
            _names(connection, "select source_name || '.' || table_name from reference.contract_tables"),
            {table: frozenset(key) for table, key in connection.execute(_KEYS)},
        )


def _names(connection: psycopg.Connection[tuple[Any, ...]], query: LiteralString) -> frozenset[str] | None:
    try:
        with connection.transaction():
            found = connection.execute(query).fetchall()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
        return None
    return frozenset(name for (name,) in found) or None
