"""Says in one line what a machine lacks, before anything is installed: standard library, any Python 3."""

import shutil
import sys

OLDEST, BEYOND = (3, 11), (3, 14)
FREE_BYTES_NEEDED = 4 << 30


def missing(version, folder):  # type: ignore[no-untyped-def]
    """Give what to do first, or None. `version` is (major, minor); `folder` is where all will be kept."""
    if not OLDEST <= tuple(version) < BEYOND:
        return (
            "carehouse needs Python 3.11, 3.12 or 3.13; this is %d.%d. Say which to use: make PYTHON=python3.12"
            % tuple(version)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "This Python cannot make environments. On Debian or Ubuntu: apt-get install python3-venv"
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_NEEDED:
        return "carehouse needs 4 GiB free on this disk; %.1f GiB are. Make room and run again." % (free / (1 << 30))
    return None


if __name__ == "__main__":
    problem = missing(sys.version_info[:2], sys.argv[1] if len(sys.argv) > 1 else ".")  # type: ignore[no-untyped-call]
    if problem:
        sys.exit(problem)
