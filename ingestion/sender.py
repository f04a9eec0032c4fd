"""What goes back to those who send files, and where dealt-with files are put."""

import shutil
from contextlib import suppress
from pathlib import Path

import polars as pl

from carehouse.settings import Settings
from ingestion.extract import LINE
from ingestion.manifest import Delivery


def tell_sender(settings: Settings, delivery: Delivery, rejects: pl.DataFrame) -> Path | None:
    """Write what is to be put right, one row a reason; give the file, or None when there is nothing.

    An earlier report on the same table is taken away: this delivery has taken that one's place. The sender has
    the rows, so line, column and rule are enough, and no value leaves quarantine.
    """
    folder = settings.home / "rejects" / delivery.council / delivery.contract.source
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob(f"{delivery.contract.table}_*.rejects.csv"):
        earlier.unlink(missing_ok=True)
    if rejects.is_empty():
        return None
    report = folder / f"{delivery.contract.table}_{delivery.extract_date}.rejects.csv"
    rejects.sort(LINE, maintain_order=True).select(
        pl.lit(delivery.path.name).alias("file"),
        pl.col(LINE).alias("line"),
        pl.col("column_name").alias("column"),
        "reason_code",
        "rule",
    ).write_csv(report)
    return report


def put_away(settings: Settings, delivery: Delivery, sha256: str, folder: str) -> Path:
    """Move a file that was dealt with out of the landing folder, under its hash, so none is overwritten."""
    kept = settings.home / folder / delivery.council / delivery.contract.source
    kept.mkdir(parents=True, exist_ok=True)
    name = delivery.path.name
    stem, dot, suffixes = name.partition(".")
    target = kept / f"{stem}.{sha256[:12]}{dot}{suffixes}"
    # Another loader may have loaded it, and put it away, while this one waited for it.
    with suppress(FileNotFoundError):
        shutil.move(delivery.path, target)
    return target
