"""Which extracts an invented council delivers, and what each holds on a night. A new table is one line here."""

from collections.abc import Callable, Iterable

import polars as pl

from ingestion.contract import Contract
from ingestion.synth.back_office import BACK_OFFICE
from ingestion.synth.carers import carer_rows, carer_support_rows
from ingestion.synth.details import accommodation_rows, address_rows, reference_rows, support_reason_rows
from ingestion.synth.elements import service_rows
from ingestion.synth.forms import form_rows
from ingestion.synth.front_door import contact_rows, enquiry_rows
from ingestion.synth.lives import Lives, Night
from ingestion.synth.merges import duplicate_records, merge_rows
from ingestion.synth.payments import assessment_rows, direct_payment_rows
from ingestion.synth.persons import person_rows
from ingestion.synth.placements import PLACEMENT_TYPES, placement_rows
from ingestion.synth.providers import provider_rows
from ingestion.synth.short_term import discharge_rows, episode_rows
from ingestion.synth.step_types import STEP_TYPES
from ingestion.synth.steps import invent_steps, step_rows
from ingestion.synth.subgroups import subgroup_rows, subgroup_subject_rows
from ingestion.synth.teams import team_rows, worker_rows

# A table is given whole or in parts. The parts of a large one are made one after another and never held together.
Rows = pl.DataFrame | Iterable[pl.DataFrame]

TABLES: dict[str, Callable[[Lives, int], Rows]] = {
    "mosaic.persons": lambda lives, night: person_rows(
        lives.people, lives.details, duplicate_records(lives.duplicates, night), night
    ),
    "mosaic.person_merges": lambda lives, night: merge_rows(lives.people, lives.duplicates, night),
    "mosaic.person_references": lambda lives, _night: reference_rows(lives),
    "mosaic.addresses": address_rows,
    "mosaic.service_user_groups": support_reason_rows,
    "mosaic.accommodations": accommodation_rows,
    "mosaic.teams": lambda lives, _night: team_rows(lives),
    "mosaic.workers": worker_rows,
    "mosaic.providers": lambda lives, night: provider_rows(lives.first_day, night),
    "mosaic.service_elements": service_rows,
    "mosaic.placement_types": lambda _lives, _night: PLACEMENT_TYPES,
    "mosaic.placements": placement_rows,
    "mosaic.short_term_episodes": episode_rows,
    "mosaic.hospital_discharges": discharge_rows,
    "mosaic.direct_payments": direct_payment_rows,
    "mosaic.financial_assessments": assessment_rows,
    "mosaic.carers": carer_rows,
    "mosaic.carer_support": carer_support_rows,
    "mosaic.contacts": contact_rows,
    "mosaic.safeguarding_enquiries": enquiry_rows,
    "mosaic.workflow_step_types": lambda _lives, _night: STEP_TYPES,
    "mosaic.subgroups": subgroup_rows,
    "mosaic.subgroup_subjects": subgroup_subject_rows,
    "mosaic.workflow_steps": lambda lives, night: (step_rows(part, lives, night) for part in invent_steps(lives)),
    "mosaic.form_answers": lambda lives, night: (form_rows(part, lives, night) for part in invent_steps(lives)),
    **BACK_OFFICE,
}


def parts(rows: Rows) -> Iterable[pl.DataFrame]:
    """Give a table's parts, of which a table given whole has one."""
    return [rows] if isinstance(rows, pl.DataFrame) else rows


def rows_of(contract: Contract, lives: Lives, night: Night) -> Iterable[pl.DataFrame]:
    """Give what the contract's extract holds on a night, part by part.

    A change feed holds what differs from the night before, or everything as inserted when there was none.
    """
    invent = TABLES[contract.name]
    now = parts(invent(lives, night.day))
    if contract.operation_column is None:
        yield from now
        return
    key = [column.name for column in contract.key]
    if night.previous is None:
        for part in now:
            yield part.with_columns(pl.lit("insert").alias(contract.operation_column))
        return
    for before, after in zip(parts(invent(lives, night.previous)), now, strict=True):
        yield _changes(before, after, key, contract.operation_column)


def _changes(before: pl.DataFrame, after: pl.DataFrame, key: list[str], operation: str) -> pl.DataFrame:
    gone = before.join(after, on=key, how="anti")
    new = after.join(before, on=key, how="anti")
    kept = after.join(before, on=key, how="semi")
    changed = kept.join(before, on=after.columns, how="anti", nulls_equal=True)
    named = {"insert": new, "update": changed, "delete": gone}
    return pl.concat([rows.with_columns(pl.lit(code).alias(operation)) for code, rows in named.items()])
