"""What `make demo` runs: one night of October 2018 through the real DAGs. Stop it anywhere and run it again."""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from carehouse import airflow_local, embedded
from carehouse.airflow_local.parts import parts
from carehouse.database import Role, connect
from carehouse.errors import CarehouseError
from carehouse.settings import Settings
from ingestion.delivery import content_sha256

BUSINESS_DATE = date(2018, 10, 31)
COUNCIL = "exampleshire"
INVENTED = ("--people", "2000", "--from", "2016-04-01", "--to", "2018-10-31", "--seed", "2018")
INTERRUPTED = 130

console = Console(highlight=False)
timings: list[tuple[str, float]] = []


def main() -> int:
    """Run the demonstration; give the exit code."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    # Extracts hold people's data: nobody else on this machine reads them.
    os.umask(0o077)
    # What the commands print must not overtake what is printed here, also into a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    settings = Settings.load()
    try:
        with _alone(settings):
            _load_and_publish(settings)
            _show(settings)
    except KeyboardInterrupt:
        console.print("\nStopped. Run it again to go on from here.")
        return INTERRUPTED
    except CarehouseError as error:
        console.print(f"[bold red]carehouse:[/] {error}", markup=True, soft_wrap=True)
        return error.exit_code
    return 0


def _load_and_publish(settings: Settings) -> None:
    with _step("The database"):
        _carehouse("db", "start")
    with _step("The landing folder: a printed register, an invented council"):
        _land_examples(settings)
        _land_invented_council(settings)
    # An Airflow that somebody else started is left running; one that a killed demonstration left behind is not.
    ours = settings.home / "demo.airflow"
    if all(part.state != "running" for part in parts(settings)):
        ours.touch()
    try:
        with _step("Airflow"):
            _carehouse("airflow", "start")
        with _step(f"The night of {BUSINESS_DATE:%d %B %Y}: load, build, gate, publish"):
            airflow_local.run_dags(settings, BUSINESS_DATE)
    finally:
        if ours.exists():
            airflow_local.stop(settings)
            ours.unlink()


def _land_examples(settings: Settings) -> None:
    _land(settings, settings.project / "examples" / "landing")


def _land_invented_council(settings: Settings) -> None:
    invented = settings.home / "invented"
    complete = invented / ".complete"
    if not complete.exists():
        _carehouse("synth", "--council", COUNCIL, "--into", str(invented), *INVENTED)
        complete.touch()
    _land(settings, invented)


def _land(settings: Settings, folder: Path) -> None:
    """Put the files of a folder into the landing folder, but for those that were loaded before."""
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise CarehouseError(f"There are no extracts in {folder}.")
    with connect(settings, Role.AUDITOR) as auditor:
        loaded = {row[0] for row in auditor.execute("select content_sha256 from audit.batch where state = 'accepted'")}
    for file in files:
        if content_sha256(file) not in loaded:
            target = settings.landing / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            # The loader passes over hidden files, and so never meets half of one.
            unfinished = shutil.copyfile(file, target.with_name(f".{target.name}.part"))
            unfinished.replace(target)


def _show(settings: Settings) -> None:
    with _step("The figures"):
        _carehouse("kpis", shown=True)
        _show_verdict(settings)
    with _step("The report and the exports"):
        report, exports = _carehouse("report"), _carehouse("export")
    _show_timings()
    console.print(f"\n[bold]Report[/]   {report}\n[bold]Exports[/]  {exports}", soft_wrap=True)
    console.print("\n[bold]Ask the marts yourself[/] (Power BI, Excel and Tableau connect the same way):")
    console.out(f"  {_psql_command(settings)}", highlight=False)
    console.print("\n[bold]Airflow's pages[/]: make up. [bold]Stop the database[/]: make down.")


def _show_verdict(settings: Settings) -> None:
    with connect(settings, Role.READER) as reader:
        published = reader.execute(
            """
            select publication_id, gate_verdict, checks_evaluated, warning_failed, as_at_date
            from mart.publication
            where is_current
            """
        ).fetchone()
    if not published:
        raise CarehouseError("Nothing is published. The lines above say what failed.")
    publication_id, verdict, checks, warnings, as_at_date = published
    console.print(
        f"\nThe gate's verdict on publication {publication_id}, as at {as_at_date:%d %B %Y}: [bold]{verdict}[/] "
        f"({checks} checks, {warnings} warnings).",
        soft_wrap=True,
    )


def _show_timings() -> None:
    table = Table("Step", title="How long it took")
    table.add_column("Seconds", justify="right")
    for title, seconds in timings:
        table.add_row(title, f"{seconds:.1f}")
    table.add_row("Together", f"{sum(seconds for _, seconds in timings):.1f}", style="bold")
    console.print(table)


def _psql_command(settings: Settings) -> str:
    """Give a command that works when pasted, and that shows no password."""
    psql = shlex.quote(str(embedded.programs(settings) / "psql"))
    carehouse = shlex.quote(str(Path(sys.executable).with_name("carehouse")))
    given = {"CAREHOUSE_HOME": settings.home, "CAREHOUSE_PORT": settings.port}
    defaults = Settings.load({})
    changed = [
        f"{name}={shlex.quote(str(value))}"
        for name, value in given.items()
        if value not in (defaults.home, defaults.port)
    ]
    address = " ".join([*changed, carehouse, "db", "url", "carehouse_reader"])
    columns = "programme_name, status_code, target_total_gbp_k, net_at_risk_gbp_k"
    query = f"select {columns} from mart.kpi_portfolio_status order by council_code, report_order"
    return f'{psql} "$({address})" -c "{query}"'


def _carehouse(*arguments: str, shown: bool = False) -> str:
    """Run the command as a person would; give what it printed, unless it is `shown`."""
    done = subprocess.run(
        [sys.executable, "-m", "carehouse", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise CarehouseError(f"carehouse {' '.join(arguments)} ended with exit code {done.returncode}.")
    return (done.stdout or "").strip()


@contextmanager
def _step(title: str) -> Iterator[None]:
    console.rule(f"[bold]{title}", align="left")
    began = time.monotonic()
    yield
    timings.append((title, time.monotonic() - began))


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CarehouseError("Another demonstration is running here; wait for it, or stop it.") from None
        yield


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
