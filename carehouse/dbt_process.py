"""dbt as its own command runs it, but for what takes it time: `python -m carehouse.dbt_process build …`.

`--no-write-json` leaves out what dbt writes of the project, twice, but not what it writes of the run.
"""

import gc
import os
import sys
import threading

ABANDONED = 70


def main() -> None:
    """Run dbt's command with the arguments of this one; end with 0, 1 (something failed) or 2 (it could not run).

    With `CAREHOUSE_DBT_ENDS_WITH_STDIN` it ends at once when its standard input does: a build that was killed takes its
    dbt with it, which would go on making tables beside those of the next build.
    """
    if "CAREHOUSE_DBT_ENDS_WITH_STDIN" in os.environ:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    # Hundreds of thousands of small things stay for as long as dbt runs. Python looks through them again and again for
    # some that nobody needs any more, which took a fifth of dbt's time; now it waits for half a million new ones.
    gc.set_threshold(500_000, 50, 1000)
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    from carehouse.dbt_messages import put_together_when_heard

    put_together_when_heard()
    outcome = dbtRunner().invoke(sys.argv[1:])
    if "--no-write-json" in sys.argv and isinstance(outcome.result, RunExecutionResult):
        outcome.result.write(f"{os.environ['DBT_TARGET_PATH']}/run_results.json")
    # Looking through all those things once more takes time, of a process that is over.
    gc.freeze()
    sys.exit(0 if outcome.success else 2 if outcome.exception else 1)


def _end_with_stdin() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(ABANDONED)


if __name__ == "__main__":
    main()
