"""Progress for a person who is watching, on standard error so that results can be piped."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print one progress line, with the seconds since the command began."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)
