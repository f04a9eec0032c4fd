"""Which tests run in one process when they run side by side: those that share a fixture which takes long to make."""

import re
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TESTS = Path(__file__).parent
SHARED = re.compile(r"\b(night|january|built_again): Night\b")
# What takes minutes begins first, longest first, so that no worker ends long after the others.
LONGEST = (
    "a night on embedded",
    "a night on debian_15",
    "test_two_councils.py",
    "test_time_travel.py",
    "test_restatements.py",
    "test_gate_shipped_suites.py",
    "test_offline.py",
    "test_history_model.py",
    "test_dags.py",
    "test_arrival.py",
)


def files_that_share_a_night() -> set[str]:
    """Give the names of the test files that ask for a published night."""
    return {path.name for path in TESTS.glob("test_*.py") if SHARED.search(path.read_text(encoding="utf-8"))}


class OneProcessForWhatIsShared(LoadScopeScheduling):
    """Keeps a file's tests together, and those of every file that reads the same published night; the longest first."""

    nightly = files_that_share_a_night()

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].rpartition("/")[2]
        server = "debian_15" if "debian_15" in nodeid else "embedded"
        return f"a night on {server}" if file in self.nightly else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        for scope in reversed(LONGEST):
            if scope in self.workqueue:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)
