"""The one door from a DAG to the warehouse: the `carehouse` command, in its own process."""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
REFUSED = 4
SOME_FILES_REFUSED = 3

log = logging.getLogger(__name__)


def carehouse(*arguments: str, accept: Collection[int] = (0,)) -> tuple[int, dict[str, Any]]:
    """Run `carehouse <arguments>`; give its exit code and, if asked for `--json`, the object it answers with.

    What it says on standard error, which never holds a person's value, goes to the task log line by
    line. The process does not outlive the task: a time limit or a stop ends it too.

    Raises:
        RuntimeError: the exit code is not among `accept`; the message repeats the command's own.
    """
    command = " ".join(["carehouse", *arguments])
    log.info("running: %s", command)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "carehouse", *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        message = ""
        try:
            for line in process.stderr or ():
                log.info("%s", line.rstrip())
                # The command's last words, for a person, may run over several lines.
                message = line if line.startswith("carehouse: ") else message and message + line
            exit_code = process.wait()
        finally:
            _end(process)
        output.seek(0)
        answer = output.read().strip().rpartition("\n")[2]
    if exit_code not in accept:
        words = message.removeprefix("carehouse: ").strip() or "its log says why."
        raise RuntimeError(f"{command} ended with exit code {exit_code}: {words}")
    return exit_code, json.loads(answer) if "--json" in arguments else {}


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
