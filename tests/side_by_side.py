"""Which tests run in one process when they run side by side: those that share a fixture which takes long to make."""

import re
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
SHARED = re.compile(r"\b(night|january): Night\b")


def files_that_share_a_night() -> set[str]:
    """Give the names of the test files that ask for a published night."""
    return {path.name for path in TESTS.glob("test_*.py") if SHARED.search(path.read_text(encoding="utf-8"))}


class OneProcessForWhatIsShared(LoadScopeScheduling):
    """Keeps a file's tests together, and those of every file that reads the same published night."""

    nightly = files_that_share_a_night()

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].rpartition("/")[2]
        server = "debian_15" if "debian_15" in nodeid else "embedded"
        return f"a night on {server}" if file in self.nightly else file
