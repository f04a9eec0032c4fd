"""Evaluates figures with Great Expectations in a process of its own, which imports it while files are being read."""

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any

from expectations.arrival.kinds import Bounds
from expectations.counts import Counts

PATIENCE_SECONDS = 180
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "expectations.arrival.worker")


@dataclass(frozen=True)
class Question:
    """Do these figures lie between these bounds?"""

    figures: Sequence[float]
    bounds: Bounds


class EvaluationError(Exception):
    """No answer came; the message says why, in words of ours."""


class Evaluator:
    """One worker for all deliveries of a run, started when first needed and ended with the run."""

    def __init__(self, command: Sequence[str] = COMMAND, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Start nothing yet."""
        self._command = list(command)
        self._patience_seconds = patience_seconds
        self._worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the worker unless it runs; does not wait until it is ready."""
        if self._worker is not None and self._worker.poll() is None:
            return
        self.close()
        self._worker = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its libraries' messages quote what they were given.
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "GX_ANALYTICS_ENABLED": "false",
                # It finds this package wherever this process found it.
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            },
        )

    def ask(self, questions: Mapping[str, Question]) -> dict[str, Counts]:
        """Give what came of each question; of one that was not answered, nothing.

        Raises:
            EvaluationError: the worker cannot be started, died, or took too long.
        """
        try:
            self.start()
            answer = self._exchange(
                {
                    name: {"figures": list(each.figures), "low": each.bounds.low, "high": each.bounds.high}
                    for name, each in questions.items()
                }
            )
            return {name: Counts(**counts) for name, counts in answer.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            self.close()
            raise EvaluationError(f"Great Expectations gave no answer ({type(error).__name__})") from None

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill()
            for pipe in (self._worker.stdin, self._worker.stdout):
                if pipe:
                    pipe.close()
            self._worker.wait()
            self._worker = None

    def _exchange(self, question: object) -> dict[str, dict[str, Any]]:
        worker = self._worker
        if worker is None or worker.stdin is None or worker.stdout is None:
            raise OSError
        worker.stdin.write(json.dumps(question).encode() + b"\n")
        worker.stdin.flush()
        answer: dict[str, dict[str, Any]] = json.loads(self._line(worker.stdout))
        return answer

    def _line(self, pipe: IO[bytes]) -> bytes:
        line, until = b"", monotonic() + self._patience_seconds
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not ready.select(max(0.0, until - monotonic())):
                    raise TimeoutError
                part = os.read(pipe.fileno(), 1 << 16)
                if not part:
                    raise BrokenPipeError
                line += part
        return line
