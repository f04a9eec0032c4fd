"""The `carehouse` command: one for each need of a person or a DAG. Results on stdout, progress on stderr."""

import os
import sys
import traceback
from dataclasses import asdict
from datetime import date, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from carehouse.commands.airflow import airflow
from carehouse.commands.answers import print_answer, print_table
from carehouse.commands.contracts import contracts
from carehouse.commands.database import db
from carehouse.commands.options import AsJson, Because, Build, By, Day, Open, Reason
from carehouse.commands.pseudonyms import pseudonyms
from carehouse.commands.readers import reader
from carehouse.commands.retention import retention
from carehouse.errors import CarehouseError
from carehouse.settings import Settings

EXIT_REFUSED_FILE = 3
EXIT_REFUSED_BUILD = 4
SHOWN_ROWS = 10

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(db, name="db")
app.add_typer(reader, name="reader")
app.add_typer(airflow, name="airflow")
app.add_typer(contracts, name="contracts")
app.add_typer(retention, name="retention")
app.add_typer(pseudonyms, name="pseudonyms")


def main() -> None:
    """Run the command; an error a person can put right is one plain message and an exit code."""
    # Archives, rejects and exports hold people's data: nobody else on this machine reads them.
    os.umask(0o077)
    try:
        app()
    except CarehouseError as error:
        print(f"carehouse: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except psycopg.OperationalError as error:
        # Lost connections, full disks, timeouts: the server's sentence, which quotes no row.
        words = str(error).strip().splitlines()
        print(f"carehouse: the database gave up: {words[0] if words else 'connection lost'}", file=sys.stderr)
        sys.exit(1)
    except psycopg.Error as error:
        # Any other message may quote a row, so only its kind is told.
        print(f"carehouse: the database refused: {type(error).__name__} ({error.sqlstate})", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:
        # A library's message may quote a row, so a fault of ours is told by where it happened and its kind.
        print("".join(traceback.format_tb(error.__traceback__)), file=sys.stderr)
        print(f"carehouse: a fault in carehouse itself: {type(error).__name__}", file=sys.stderr)
        sys.exit(1)


@app.command()
def synth(
    people: Annotated[int, typer.Option(min=1, help="How many people to invent.")] = 2000,
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])] = datetime(2016, 4, 1),  # noqa: DTZ001
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])] = datetime(2018, 10, 31),  # noqa: DTZ001
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 2018,
    council: Annotated[str, typer.Option()] = "exampleshire",
    into: Annotated[Path | None, typer.Option(help="Folder; default: the landing folder.")] = None,
    every: Annotated[str, typer.Option(help="Nights to cut extracts for: once, month-end or day.")] = "once",
    nights: Annotated[int, typer.Option(min=1, help="How many of them at most; the last is --to.")] = 5,
    faults: Annotated[str | None, typer.Option(help="Faults to plant: a set by name, or a file.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder for what was planted, apart from the extracts.")] = None,
    workbooks: Annotated[bool, typer.Option(help="Write the programme office's tables as Excel workbooks.")] = False,
) -> None:
    """Invent a council's extracts, of one night or several; prints the files written."""
    from ingestion.synth import write_extracts
    from ingestion.synth.faults import NO_FAULTS, read_plan
    from ingestion.synth.nights import nights_until

    landing = into or Settings.load().landing
    plan = read_plan(faults) if faults else NO_FAULTS
    # What was planted can be told from what was found only while it is written down.
    kept = truth or (landing.parent / "truth" if faults else None)
    cut = nights_until(start.date(), end.date(), every, nights)
    written = write_extracts(
        landing,
        council,
        people,
        start.date(),
        end.date(),
        seed,
        nights=cut,
        plan=plan,
        truth=kept,
        workbooks=workbooks,
    )
    for path in written:
        print(path)


@app.command()
def ingest(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    business_date: Day = None,
    let_pass: Annotated[
        str | None, typer.Option(help="SHA-256 (its beginning) of a file that is right although unlike earlier ones.")
    ] = None,
    because: Because = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Load what lies in the landing folder. Exit 3: a file was refused; the others are loaded."""
    _leave_a_core_to_the_server()
    from expectations.arrival.judge import open_judge
    from ingestion.landing import ingest as load_landed
    from ingestion.passage import passage

    word = passage(let_pass, by or getuser(), because)
    outcome = load_landed(Settings.load(), source, _day(business_date), word, open_judge)
    print_answer(asdict(outcome), as_json)
    if outcome.refused:
        sys.exit(EXIT_REFUSED_FILE)


@app.command()
def withdraw(
    batch: Annotated[int, typer.Argument(help="The batch, as `ingest` named it: the latest of its table.")],
    because: Because = None,
    by: By = None,
    business_date: Day = None,
    as_json: AsJson = False,
) -> None:
    """Take back the latest delivery of a table: what was known before is known again."""
    from ingestion.landing import today
    from ingestion.withdrawal import withdraw as take_back

    day = _day(business_date) or today()
    print_answer(asdict(take_back(Settings.load(), batch, by or getuser(), because or "", day)), as_json)


@app.command()
def rejects(
    codes: Annotated[bool, typer.Option("--codes", help="The unknown codes instead, each with its count.")] = False,
) -> None:
    """List what waits in quarantine to be put right, by count."""
    from ingestion.rejects import unknown_codes, waiting

    print_table(unknown_codes(Settings.load()) if codes else waiting(Settings.load()), "Nothing waits to be put right.")


@app.command()
def build(as_at: Day = None, as_json: AsJson = False) -> None:
    """Build the candidate marts from what was known at the end of a day."""
    from carehouse.build import build as build_marts
    from ingestion.landing import today

    day = _day(as_at) or today()
    print_answer({"build_id": build_marts(Settings.load(), day), "as_at_date": day.isoformat()}, as_json)


@app.command()
def gate(build: Build = None, as_json: AsJson = False) -> None:
    """Check the candidate marts. Exit 4: refused; what is published stays."""
    if not _judge(Settings.load(), build, as_json):
        sys.exit(EXIT_REFUSED_BUILD)


@app.command()
def release(because: Reason, build: Build = None, by: By = None) -> None:
    """Let a build be published that the gate refused, or that was held: a person's decision, recorded for ever."""
    from expectations.decision import release as decide

    print_answer({"released": decide(Settings.load(), build, because, by or getuser())}, as_json=False)


@app.command()
def hold(because: Reason, build: Build = None, by: By = None) -> None:
    """Keep a build from being published although the gate passed it, until it is released."""
    from expectations.decision import hold as decide

    print_answer({"held": decide(Settings.load(), build, because, by or getuser())}, as_json=False)


@app.command()
def publish(build: Build = None, as_json: AsJson = False) -> None:
    """Show readers a build that passed the gate."""
    from carehouse.publication import publish as show

    print_answer({"publication_id": show(Settings.load(), build)}, as_json)


@app.command()
def rollback(
    to: Annotated[int | None, typer.Option(help="A publication; default: the one before.")] = None,
) -> None:
    """Show readers an earlier publication, at once."""
    from carehouse.publication import rollback as show

    print_answer({"publication_id": show(Settings.load(), to)}, as_json=False)


@app.command()
def publications() -> None:
    """List the publications that can still be read, and by whose word; `mart.publication` says more of each."""
    from carehouse.publication import publications as kept

    for each in kept(Settings.load()):
        mark = "*" if each.is_current else " "
        verdict = f"{each.gate_verdict}, released by {each.released_by}" if each.released_by else each.gate_verdict
        print(
            f"{mark} {each.publication_id:>6}  as at {each.as_at_date}  published {each.published_at:%Y-%m-%d %H:%M}  "
            f"for {each.published_for or each.published_by}  gate {verdict}  code {each.code_version}"
        )


@app.command()
def prune(keep: Annotated[int, typer.Option(min=1, help="How many publications to keep.")] = 14) -> None:
    """Drop publications that are neither current nor among the last."""
    from carehouse.pruning import prune as drop

    print_answer({"pruned": len(drop(Settings.load(), keep))}, as_json=False)


@app.command()
def purge(
    days: Annotated[
        int | None, typer.Option(min=1, help="How long rows are kept in quarantine; default: as retention.yaml says.")
    ] = None,
) -> None:
    """Delete rows that have been in quarantine for longer; the counts stay. Refused while a legal hold stands."""
    from ingestion.legal_hold import standing
    from ingestion.quarantine import purge as delete
    from ingestion.record_classes import load_rules

    settings = Settings.load()
    if standing(settings):
        raise CarehouseError(
            "A legal hold stands, and quarantine may hold what it covers. See: carehouse retention hold list"
        )
    print_answer({"purged": delete(settings, days or load_rules().quarantine_days)}, as_json=False)


@app.command()
def run(business_date: Day = None) -> None:
    """Do a whole night without Airflow: ingest, build, gate, publish."""
    _leave_a_core_to_the_server()
    from carehouse.build import build as build_marts
    from carehouse.publication import publish as show
    from expectations.arrival.judge import open_judge
    from expectations.imports import import_meanwhile
    from ingestion.landing import ingest as load_landed
    from ingestion.landing import today

    settings, day = Settings.load(), _day(business_date) or today()
    refused = load_landed(settings, None, day, open_judge=open_judge).refused
    import_meanwhile()
    build_id = build_marts(settings, day)
    if not _judge(settings, build_id, as_json=False):
        sys.exit(EXIT_REFUSED_BUILD)
    show(settings, build_id)
    if refused:
        sys.exit(EXIT_REFUSED_FILE)


@app.command("sql")
def sql_query(
    query: Annotated[str, typer.Argument(help='Such as "select * from mart.kpi_values"')], is_open: Open = False
) -> None:
    """Answer a query as the mart reader, as CSV."""
    from carehouse.export import write_query

    write_query(Settings.load(), query, sys.stdout.buffer, is_open=is_open)


@app.command()
def kpis() -> None:
    """Show the published status report and the latest measures."""
    from carehouse.report import print_kpis

    print_kpis(Settings.load())


@app.command()
def report(
    to: Annotated[Path | None, typer.Option(help="File; default: in the home's reports/.")] = None,
) -> None:
    """Write the published figures as one HTML page; prints its path."""
    from carehouse.report import write_report

    print(write_report(Settings.load(), to))


@app.command()
def explain(
    measure: Annotated[str, typer.Argument(help="The measure, such as K001.")],
    period: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="The month with which the period ends: 2018-10.")],
    period_type: Annotated[str | None, typer.Option(help="month, year_to_date, month_end, …")] = None,
    council: Annotated[str | None, typer.Option(help="Whose figure.")] = None,
    breakdown: Annotated[str | None, typer.Option(help="A part of the council, such as age_band=65+.")] = None,
    publication: Annotated[int | None, typer.Option(help="The publication; default: the current one.")] = None,
    rows: Annotated[int | None, typer.Option(min=0, help="Rows to list; default: 10, and all with --csv.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row for each line of a file behind the figure.")] = False,
) -> None:
    """Take a published figure apart: its fact rows, and the files and lines they came from."""
    from carehouse.explain import explain as take_apart
    from carehouse.explained import print_explanation, write_lines
    from carehouse.wanted_figure import Wanted

    kind, given, part = (breakdown or "").partition("=")
    if breakdown and not (kind and given and part):
        raise CarehouseError("Give a breakdown as its kind and value, such as --breakdown age_band=65+.")
    wanted = Wanted(measure, period.date(), council, period_type, (kind, part) if breakdown else None, publication)
    found = take_apart(Settings.load(), wanted, rows if rows is not None or as_csv else SHOWN_ROWS)
    if as_csv:
        write_lines(found, sys.stdout)
    else:
        print_explanation(found, sys.stdout)


@app.command()
def export(
    to: Annotated[Path | None, typer.Option(help="Folder; default: the home's exports/.")] = None,
    is_open: Open = False,
) -> None:
    """Write every published mart as CSV with a manifest; prints the folder."""
    from carehouse.export import export_marts

    print(export_marts(Settings.load(), to, is_open=is_open))


def _judge(settings: Settings, build_id: int | None, as_json: bool) -> bool:
    from carehouse.database import Role, connect
    from expectations.gate import render, run_gate

    if build_id is None:
        with connect(settings, Role.GATE) as asking:
            row = asking.execute("select max(build_id) from audit.build").fetchone()
        if row is None or row[0] is None:
            raise CarehouseError("Nothing has been built yet. Build first: carehouse build")
        build_id = int(row[0])
    judged = run_gate(settings, build_id)
    words = render(judged)
    print(words, file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print_answer({"build_id": build_id, "verdict": judged.verdict, "words": words}, as_json)
    return bool(judged.verdict == "passed")


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _leave_a_core_to_the_server() -> None:
    """Keep Polars, which reads this when it is imported, from taking PostgreSQL's time with a thread for each core."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
