"""Does the next piece of work in a second thread while this one is used."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

PIECES_AHEAD = 2

Piece = TypeVar("Piece")


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Give the pieces of an iterator, each made while the one before is used; at most two wait.

    Raises:
        BaseException: whatever making a piece raised, where that piece would have come.
    """
    made: queue.Queue[tuple[Piece | None, BaseException | None]] = queue.Queue(PIECES_AHEAD)
    is_wanted = threading.Event()
    is_wanted.set()

    def make() -> None:
        failure: BaseException | None = None
        try:
            for piece in pieces:
                made.put((piece, None))
                if not is_wanted.is_set():
                    break
        except BaseException as raised:
            failure = raised
        made.put((None, failure))

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while (next_piece := made.get())[0] is not None:
            yield next_piece[0]
        if next_piece[1] is not None:
            raise next_piece[1]
    finally:
        is_wanted.clear()
        while thread.is_alive():
            with suppress(queue.Empty):
                made.get(timeout=0.01)
        thread.join()
