"""A ledger extract of any length, as its contract says: headers, dates, trailer. The same call, the same bytes."""

from datetime import date
from pathlib import Path

import polars as pl

from ingestion.synth.extract import write_extract

COUNCIL = "exampleshire"
LINES_A_JOURNAL = 40
CHANGED_EVERY = 100
FIRST_POSTING = date(2016, 4, 1)
POSTING_DAYS = 910


def write_ledger(folder: Path, extract_date: date, rows: int, changed: bool) -> Path:
    """Write `rows` ledger lines below `folder`; give the file.

    When `changed`, every hundredth line has another amount than in the extract written without it.
    """
    number = pl.int_range(rows, dtype=pl.Int64)
    journal = number // LINES_A_JOURNAL
    posted = pl.lit(FIRST_POSTING) + pl.duration(days=journal % POSTING_DAYS)
    year_began = posted.dt.offset_by("-3mo").dt.year()
    # Primes, so that the columns do not repeat together.
    pence = number * 7_919 % 1_000_003 - 150_000
    if changed:
        pence += pl.when(number % CHANGED_EVERY == 0).then(1).otherwise(0)
    lines = pl.select(
        journal_ref=pl.format("PR{}", journal.cast(pl.String).str.zfill(9)),
        line_number=number % LINES_A_JOURNAL + 1,
        posting_date=posted,
        financial_year=pl.format("{}/{}", year_began, ((year_began + 1) % 100).cast(pl.String).str.zfill(2)),
        period_number=posted.dt.offset_by("-3mo").dt.month(),
        cost_centre_code=pl.format("D{}", (number % 97).cast(pl.String).str.zfill(4)),
        subjective_code=pl.format("52{}", (number % 61).cast(pl.String).str.zfill(4)),
        amount_gbp=pence,
        description=pl.format("Care home fees, provider {}, invoice {} of this week", number % 389, number),
        source_system_code=pl.when(number % 23 == 0).then(pl.lit("MANUAL")).otherwise(pl.lit("CARE")),
    )
    return write_extract(folder, COUNCIL, "ledger.lines", extract_date, lines)
