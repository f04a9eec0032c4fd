"""The first load of a ledger extract, against what people load files with otherwise.

They run in an environment of their own (`benchmarks/rivals.lock`), check nothing and keep no history.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Comparison, Options
from benchmarks.load import CONTRACT, FIRST, batch_seconds, write
from benchmarks.scratch import Warehouse, scratch_server, warehouse
from carehouse.database import Role, url
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.settings import PROJECT
from ingestion.contract import load_contract

PYTHON = PROJECT / ".venv-rivals" / "bin" / "python"
LOADERS = {
    "to_sql": "pandas to_sql of the same file",
    "dlt_rows": "dlt, from dictionaries",
    "dlt_arrow": "dlt, from Arrow tables",
}
SHARE_OF_ROWS = 4


def measure(options: Options) -> Iterator[Comparison]:
    """Time ours and each of the others, on a quarter of the rows: they take long."""
    if not PYTHON.exists():
        raise CarehouseError(f"There is no {PYTHON}: `make bench` makes it.")
    rows = max(options.rows // SHARE_OF_ROWS, 1)
    load_contract(CONTRACT)
    with scratch_server() as home:
        folder = home / "extracts"
        extract = write(folder, FIRST, rows, changed=False)
        lines = [Comparison("rivals", "first load", f"{rows:,} lines", against) for against in LOADERS.values()]
        for number in range(1, options.rounds + 1):
            say(f"rivals: round {number} of {options.rounds}")
            with warehouse(home) as fresh:
                fresh.land(extract, folder)
                fresh.settle()
                fresh.load(FIRST)
                ours = batch_seconds(fresh)
                for loader, line in zip(LOADERS, lines, strict=True):
                    fresh.settle()
                    line.add(ours, _theirs(fresh, loader, extract))
    yield from lines


def _theirs(fresh: Warehouse, loader: str, extract: Path) -> float:
    """Run one of them; give the seconds it says."""
    working = Path(tempfile.mkdtemp(prefix="carehouse-rival-"))
    environment = {
        **fresh.environment,
        "HOME": str(working),
        "DLT_DATA_DIR": str(working),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RIVAL_DATABASE_URL": url(fresh.settings, Role.ADMIN),
    }
    script = Path(__file__).with_name("rival_loaders.py")
    try:
        done = subprocess.run(
            [PYTHON, script, loader, extract], env=environment, capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(working)
    if done.returncode:
        raise CarehouseError(f"{loader} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])
