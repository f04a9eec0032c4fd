"""Builds the candidate marts with dbt, as at a date, and records what went in."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from carehouse import history_lock
from carehouse.asking import asked_by
from carehouse.database import Role, connect, url
from carehouse.errors import CarehouseError
from carehouse.progress import say
from carehouse.saved_parse import keep_only_if_same
from carehouse.settings import Settings

# A database's message may quote a value; these kinds name only what is missing or misspelt.
SAFE_MESSAGE = re.compile(
    r"(does not exist|syntax error|permission denied|is ambiguous|must appear in the GROUP BY|already exists|"
    r"contract|Compilation Error|is undefined|got \d+ results)",
    re.IGNORECASE,
)


def build(settings: Settings, as_at: date) -> int:
    """Build every candidate mart from what was known at the end of `as_at`; give the build id.

    The id is what a publication of these tables will be called. A build replaces the candidate of the
    build before, which can then no longer be published. All of it is made from one state of history: loads that
    are under way are waited for, later ones wait.

    Raises:
        CarehouseError: another build is running, or dbt failed; the message names the models and where to look.
    """
    with _only_build(settings) as builder:
        build_id = _begin(settings, builder, as_at)
        say(f"build {build_id}: figures as known on {as_at}")
        succeeded = False
        ran: tuple[str | None, str | None] = (None, None)
        try:
            _empty_candidate(builder)
            failures = _run_dbt(settings, as_at, build_id)
            ran = _dbt_run(settings)
            succeeded = not failures
        finally:
            builder.execute(
                "update audit.build set state = %s, finished_at = clock_timestamp(), dbt_version = %s, "
                "dbt_invocation_id = %s where build_id = %s",
                ["built" if succeeded else "failed", *ran, build_id],
            )
    if failures:
        listed = "\n".join(f"  {failure}" for failure in failures)
        raise CarehouseError(f"Build {build_id} failed; the published marts are untouched.\n{listed}")
    return build_id


def dbt_environment(settings: Settings, as_at: date, publication_id: int) -> dict[str, str]:
    """Give the environment in which `dbt` finds the warehouse as the builder, and what to build; for people too."""
    where = urlsplit(url(settings, Role.BUILDER))
    return {
        **os.environ,
        # Not in --vars: dbt would read the whole project anew whenever one differs.
        "CAREHOUSE_AS_AT": as_at.isoformat(),
        "CAREHOUSE_PUBLICATION_ID": str(publication_id),
        "CAREHOUSE_DBT_HOST": where.hostname or "",
        "CAREHOUSE_DBT_PORT": str(where.port or 5432),
        "CAREHOUSE_DBT_USER": str(where.username),
        "CAREHOUSE_DBT_PASSWORD": unquote(where.password or ""),
        "CAREHOUSE_DBT_DATABASE": where.path.lstrip("/"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(settings.project / "dbt_project"),
        "DBT_TARGET_PATH": str(settings.home / "dbt" / "target"),
        "DBT_LOG_PATH": str(settings.home / "dbt" / "logs"),
        # A failing row would be quoted in full.
        "DBT_LOG_LEVEL_FILE": "none",
    }


def code_version(settings: Settings) -> str:
    """Give the version of carehouse that is running, with its commit where that is known."""
    commit = os.environ.get("CAREHOUSE_COMMIT", "")
    if not commit and (settings.project / ".git").exists():
        asked = subprocess.run(
            ["git", "-C", str(settings.project), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            check=False,
        )
        commit = asked.stdout.strip()
    return f"{version('carehouse')}+{commit}" if commit else version("carehouse")


@contextmanager
def _only_build(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with connect(settings, Role.BUILDER, autocommit=True) as builder:
        taken = builder.execute("select pg_try_advisory_lock(hashtext('carehouse build'))").fetchone()
        if taken != (True,):
            raise CarehouseError("Another build is running, or the pseudonym key is being changed; wait for it to end.")
        history_lock.keep_still(builder)
        yield builder


def _begin(settings: Settings, builder: psycopg.Connection[Any], as_at: date) -> int:
    # Holding the lock means that a build still called 'building' was killed.
    builder.execute("update audit.build set state = 'failed', finished_at = clock_timestamp() where state = 'building'")
    _refuse_thinned(builder, as_at)
    row = builder.execute(
        """
        insert into audit.build (as_at_date, code_version, state, asked_by, pseudonym_key_version)
        values (%s, %s, 'building', %s, (select max(key_version) from audit.pseudonym_key))
        returning build_id
        """,
        [as_at, code_version(settings), asked_by()],
    ).fetchone()
    build_id = int(row[0]) if row else 0
    builder.execute(
        """
        insert into audit.build_batch (build_id, batch_id)
        select distinct on (council_code, source_name, table_name) %(build)s::bigint, batch_id
        from audit.batch
        where
            state = 'accepted' and not is_late and known_on <= %(as_at)s
            and (withdrawn_on is null or withdrawn_on > %(as_at)s)
        order by council_code, source_name, table_name, batch_id desc
        """,
        {"build": build_id, "as_at": as_at},
    )
    return build_id


def _refuse_thinned(builder: psycopg.Connection[Any], as_at: date) -> None:
    """A figure of a day whose records were taken away since would be wrong, and nobody could see it."""
    row = builder.execute(
        """
        select run.no_build_before_date, run.class_name, run.as_of_date
        from audit.retention_run as run
        where run.no_build_before_date > %s
        order by run.no_build_before_date desc
        limit 1
        """,
        [as_at],
    ).fetchone()
    if row is not None:
        raise CarehouseError(
            f"Figures as known on {as_at} cannot be built any more: records of class {row[1]} that they look back to "
            f"were taken away under the retention rules of {row[2]}. The first day that can be built is {row[0]}."
        )


def _empty_candidate(builder: psycopg.Connection[Any]) -> None:
    """Drop what an earlier build left, so that nothing of it can be judged or published as part of this one."""
    left = builder.execute(
        "select relname from pg_class where relnamespace = 'candidate'::regnamespace and relkind = 'r'"
    ).fetchall()
    for (table,) in left:
        builder.execute(sql.SQL("drop table {}").format(sql.Identifier("candidate", table)))


def _run_dbt(settings: Settings, as_at: date, build_id: int) -> list[str]:
    """Run dbt; give a line for each model or test that failed, without any value."""
    target = settings.home / "dbt" / "target"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    keep_only_if_same(settings.project / "dbt_project", target)
    command = [sys.executable, "-m", "carehouse.dbt_process", "build"]
    # Unit tests are of the code, not of tonight's data; they run with the other tests.
    command += ["--exclude-resource-type", "unit_test"]
    command += ["--project-dir", str(settings.project / "dbt_project"), "--no-use-colors"]
    if (target / "manifest.json").is_file():
        # It describes the project, which is the same.
        command.append("--no-write-json")
    with subprocess.Popen(
        command,
        env={**dbt_environment(settings, as_at, build_id), "CAREHOUSE_DBT_ENDS_WITH_STDIN": "yes"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        said = list(_follow(running))
    if results.is_file():
        nodes = json.loads(results.read_text())["results"]
        say(f"dbt: {len(nodes)} models, seeds and tests")
        for node in nodes:
            if node["status"] == "warn":
                say(f"warning: {node['unique_id'].split('.')[2]}: {node['failures']} found")
        failed = [node for node in nodes if node["status"] in ("error", "fail")]
        skipped = sum(node["status"] == "skipped" for node in nodes)
        if failed:
            lines = [f"{node['unique_id']}: {_without_values(node['message'] or node['status'])}" for node in failed]
            return [*lines, f"and {skipped} that depend on these were skipped"]
    if running.returncode:
        return [_without_values(line) for line in said if line.strip()][-8:] or ["dbt ended without a word"]
    return []


def _dbt_run(settings: Settings) -> tuple[str | None, str | None]:
    """Give dbt's version and its own id of the run that has just ended; nothing if it ended without results."""
    results = dbt_target(settings) / "run_results.json"
    if not results.is_file():
        return None, None
    metadata = json.loads(results.read_text())["metadata"]
    return metadata["dbt_version"], metadata["invocation_id"]


def _follow(running: subprocess.Popen[str]) -> Iterator[str]:
    """Report each quarter of the work done; give what dbt said besides its running commentary."""
    reported = 0
    for line in running.stdout or ():
        step = re.search(r" (\d+) of (\d+) (OK|PASS|WARN|ERROR|FAIL|SKIP)", line)
        if step:
            done, total = int(step.group(1)), int(step.group(2))
            if done * 4 // total > reported:
                reported = done * 4 // total
                say(f"dbt: {done} of {total}")
        else:
            yield re.sub(r"^\d\d:\d\d:\d\d\s*", "", line.rstrip())


def _without_values(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    safe = [line for line in lines if SAFE_MESSAGE.search(line) and not line.startswith("DETAIL")]
    return "; ".join(safe[:3]) or "failed; the database's message is withheld, since it may quote a value"


def dbt_target(settings: Settings) -> Path:
    """Give the folder of dbt's artefacts for the last build."""
    return settings.home / "dbt" / "target"
