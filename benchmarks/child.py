"""Runs a command in a process of its own, and says how long it took and how much memory it ever held."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass

from carehouse.errors import CarehouseError

MAXRSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Finished:
    """A command that ended well: wall time, and the peak of its resident memory."""

    seconds: float
    peak_mb: float


def run(command: list[str], environment: Mapping[str, str]) -> Finished:
    """Run a command and measure it from outside.

    Raises:
        CarehouseError: it failed; the message ends with its last words.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=environment
        )
        try:
            # Popen.wait would throw away what the process used.
            _, wait_status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(wait_status)
        if process.returncode:
            said.seek(0)
            last_words = "".join(said.readlines()[-20:])
            raise CarehouseError(f"{' '.join(command[:6])} ended with {process.returncode}:\n{last_words}")
    return Finished(seconds, used.ru_maxrss * MAXRSS_UNIT_BYTES / 1e6)
