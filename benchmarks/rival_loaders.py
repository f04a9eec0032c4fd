"""Loads a ledger extract as others would: run by the Python of the rivals' own environment, knows nothing of ours.

`rival_loaders.py NAME FILE` loads FILE into the database of the variable RIVAL_DATABASE_URL and prints the seconds it
took, start of Python and imports not counted. Each keeps what it was given and checks nothing of it.
"""

import csv
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROWS_A_BATCH = 50_000
TRAILER = "TRAILER"


def to_sql(file: Path, url: str) -> float:
    """pandas: `read_csv` in pieces, `to_sql` of each."""
    import pandas
    import sqlalchemy

    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    began = time.perf_counter()
    for piece in pandas.read_csv(file, chunksize=ROWS_A_BATCH, skipfooter=0, dtype=str):
        rows = piece[piece["JOURNAL_ID"] != TRAILER]
        rows = rows.assign(POSTING_DATE=pandas.to_datetime(rows["POSTING_DATE"], format="%d/%m/%Y"))
        rows.to_sql("to_sql_lines", engine, if_exists="append", index=False)
    return time.perf_counter() - began


def dlt_rows(file: Path, url: str) -> float:
    """Give dlt rows as dictionaries, its usual way."""
    return _dlt(_dictionaries(file), url, "dlt_rows")


def dlt_arrow(file: Path, url: str) -> float:
    """Give dlt Arrow tables, its fast way."""
    return _dlt(_tables(file), url, "dlt_arrow")


def _dlt(pieces: Iterator[object], url: str, name: str) -> float:
    import dlt

    began = time.perf_counter()
    pipeline = dlt.pipeline(name, destination=dlt.destinations.postgres(url), dataset_name=name)
    pipeline.run(pieces, table_name="lines", write_disposition="replace")
    return time.perf_counter() - began


def _dictionaries(file: Path) -> Iterator[list[dict[str, str]]]:
    with file.open(newline="") as opened:
        rows = (row for row in csv.DictReader(opened) if row["JOURNAL_ID"] != TRAILER)
        while batch := list(islice(rows, ROWS_A_BATCH)):
            yield batch


def _tables(file: Path) -> Iterator[object]:
    import pyarrow
    import pyarrow.csv

    skip_trailer = pyarrow.csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    with pyarrow.csv.open_csv(file, parse_options=skip_trailer) as reader:
        for batch in reader:
            yield pyarrow.Table.from_batches([batch])


LOADERS = {"to_sql": to_sql, "dlt_rows": dlt_rows, "dlt_arrow": dlt_arrow}

if __name__ == "__main__":
    print(LOADERS[sys.argv[1]](Path(sys.argv[2]), os.environ["RIVAL_DATABASE_URL"]))
