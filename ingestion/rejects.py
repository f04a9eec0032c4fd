"""Says what waits in quarantine to be put right, by count: no value but codes that no list knows."""

from dataclasses import dataclass

from carehouse.database import Role, connect
from carehouse.settings import Settings
from ingestion.contract import load_contracts

# What may be somebody's address, number or postcode, typed where a code belongs, stays in quarantine.
NOT_A_CODE = r"@|[0-9]([ -]?[0-9]){6}|(^|[^A-Za-z])[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}($|[^A-Za-z])"
WITHHELD = "(withheld: it may be personal)"
LONGEST_CODE = 40


@dataclass(frozen=True)
class Waiting:
    """Rows of one council's table that wait to be put right for one reason, and since which extract."""

    council: str
    table: str
    column: str
    reason_code: str
    rows: int
    since: str


@dataclass(frozen=True)
class UnknownCode:
    """One code that a list does not know, and how many rows came with it."""

    council: str
    table: str
    column: str
    code: str
    rows: int


def waiting(settings: Settings) -> list[Waiting]:
    """Count the rejected rows that no later delivery has put right, most first."""
    with connect(settings, Role.AUDITOR) as auditor:
        found = auditor.execute(
            """
            select
                rejected.council_code,
                rejected.source_name || '.' || rejected.table_name,
                coalesce(rejected.column_name, ''),
                rejected.reason_code,
                count(distinct (rejected.batch_id, rejected.line_number)),
                min(batch.extract_date)::text
            from quarantine.rejected_row as rejected
            inner join audit.batch using (batch_id)
            where rejected.cleared_by_batch_id is null
            group by 1, 2, 3, 4
            order by 5 desc, 1, 2, 3, 4
            """
        ).fetchall()
    return [Waiting(*row) for row in found]


def unknown_codes(settings: Settings) -> list[UnknownCode]:
    """Count each code that a list does not know, most first.

    Columns that hold personal data are left out, and what looks like an address, a number or a postcode is not told.
    """
    coded = [
        (contract.source, contract.table, column.header)
        for contract in load_contracts()
        for column in contract.columns
        if column.codes and column.classification != "personal"
    ]
    sources, tables, headers = zip(*coded, strict=True)
    with connect(settings, Role.AUDITOR) as auditor:
        found = auditor.execute(
            """
            select
                council_code,
                source_name || '.' || table_name,
                column_name,
                case
                    when length(sent.code) > %s or sent.code ~ %s then %s
                    else sent.code
                end,
                count(*)
            from quarantine.rejected_row
            cross join lateral (select row_as_sent::jsonb ->> column_name as code) as sent
            where
                reason_code = 'unknown_code' and cleared_by_batch_id is null
                and (source_name, table_name, column_name) in (
                    select * from unnest(%s::text[], %s::text[], %s::text[])
                )
            group by 1, 2, 3, 4
            order by 5 desc, 1, 2, 3, 4
            """,
            [LONGEST_CODE, NOT_A_CODE, WITHHELD, list(sources), list(tables), list(headers)],
        ).fetchall()
    return [UnknownCode(*row) for row in found]
