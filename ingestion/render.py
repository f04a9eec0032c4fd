"""Writes what follows from the contracts (dbt's sources, the table of contracts, the page of extracts) and measures,
and records what readers are promised of the marts.

The files are committed and marked; `check` says which are not what the contracts and the registry now imply.
"""

import csv
import io
from pathlib import Path

import yaml

from carehouse import measure_files, promise_files
from carehouse.settings import PROJECT
from ingestion.contract import Contract, load_contracts

MARK = "Generated from ingestion/contracts by `carehouse contracts render`; do not edit."

KNOWN_COLUMNS = {
    "known_from": ("date", "First day on which this version of the row was known."),
    "known_to": ("date", "First day on which it was known no longer; empty while it is current."),
    "batch_id": ("bigint", "Batch that brought this version."),
    "closed_by_batch_id": ("bigint", "Batch that ended it; empty while it is current."),
    "source_line": ("bigint", "Line of that batch's file on which it stood; the header is line 1."),
}


def render(project: Path = PROJECT) -> list[Path]:
    """Write every generated file; give those that changed."""
    changed = stale_files(project)
    for path, text in _wanted(project).items():
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return changed


def stale_files(project: Path = PROJECT) -> list[Path]:
    """Give the generated files whose bytes are not what the contracts and the registry of measures imply."""
    return [
        path
        for path, text in _wanted(project).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def _wanted(project: Path) -> dict[Path, str]:
    contracts = load_contracts()
    return {
        project / "dbt_project/models/staging/_sources.yml": _dbt_sources(contracts),
        project / "dbt_project/seeds/contract_tables.csv": _contract_tables(contracts),
        project / "docs/reference/extracts.md": _page(contracts),
        **measure_files.wanted(project),
        **promise_files.wanted(project),
    }


def _dbt_sources(contracts: tuple[Contract, ...]) -> str:
    sources = [
        {
            "name": source,
            "schema": "history",
            "description": f"Every known version of every row of the {source} extracts.",
            "tables": [_dbt_table(contract) for contract in contracts if contract.source == source],
        }
        for source in sorted({contract.source for contract in contracts})
    ]
    body = yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=110)
    return f"# {MARK}\n{body}"


def _dbt_table(contract: Contract) -> dict[str, object]:
    columns = [("council_code", "text", "Council that sent the row.")]
    for column in contract.columns:
        columns.append((column.name, column.sql_type, column.description))
        if column.pseudonym_column:
            columns.append((column.pseudonym_column, "text", f"Keyed pseudonym of {column.name}; the key is outside."))
    columns += [(name, sql_type, words) for name, (sql_type, words) in KNOWN_COLUMNS.items()]
    return {
        "name": contract.table,
        "identifier": contract.history_table,
        "description": contract.description,
        "config": {"meta": {"one_row_is": contract.one_row_is, "owner": contract.owner}},
        "columns": [{"name": name, "data_type": kind, "description": words} for name, kind, words in columns],
    }


def _contract_tables(contracts: tuple[Contract, ...]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(
        [
            "source_name",
            "table_name",
            "contract_version",
            "owner",
            "contact",
            "stale_after_days",
            "blocks_after_days",
        ]
    )
    for contract in contracts:
        writer.writerow(
            [
                contract.source,
                contract.table,
                contract.version,
                contract.owner,
                contract.contact,
                contract.stale_after_days,
                contract.blocks_after_days,
            ]
        )
    return written.getvalue()


def _page(contracts: tuple[Contract, ...]) -> str:
    lines = [
        f"<!-- {MARK} -->",
        "# Extracts",
        "",
        "What each extract holds and how the warehouse reads it. `*` marks the columns that tell one row from another.",
        "",
    ]
    for contract in contracts:
        lines += _section(contract)
    return "\n".join(lines)


def _section(contract: Contract) -> list[str]:
    lines = [
        f"## {contract.name}",
        "",
        f"{contract.description}",
        "",
        f"- {contract.one_row_is}",
        *(f"- File: `landing/{server.path}`, {server.dialect}" for server in contract.servers),
        f"- Owner: {contract.whom_to_ask}; stale after {contract.stale_after_days} days"
        + (f", not published after {contract.blocks_after_days}" if contract.blocks_after_days else ""),
        f"- Refused when more than {contract.reject_limit_percent} % of its rows are bad",
    ]
    if contract.control_total:
        begins_or_ends = "Begins" if contract.control_total.is_first else "Ends"
        lines.append(
            f"- {begins_or_ends} with a record `{contract.control_total.marker}`, row count, sum of "
            f"`{contract.control_total.column}`; refused when they differ"
        )
    lines += [f"- {said}" for said in (contract.limitations, contract.usage) if said]
    lines += ["", "| Column | In the extract | Type | Class | Meaning |", "|---|---|---|---|---|"]
    for column in contract.columns:
        name = f"`{column.name}`{' *' if column.key_position else ''}"
        required = "" if column.required else ", may be blank"
        meaning = " ".join(column.description.split()).replace("|", "\\|")
        if column.codes:
            meaning += f" One of: {', '.join(column.codes)}."
        lines.append(
            f"| {name} | `{column.header}` | {column.sql_type}{required} | {column.classification} | {meaning} |"
        )
    return [*lines, ""]
