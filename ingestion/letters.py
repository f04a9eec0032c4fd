"""Looks at the letters of a whole column at once, where they lie in Arrow's memory."""

import numpy as np
import pyarrow as pa


def holds_line_end(batch: pa.RecordBatch) -> bool:
    """Look for a line end in the values themselves."""
    buffers = (column.buffers()[2] for column in batch.columns)
    columns = (np.frombuffer(buffer, np.uint8) for buffer in buffers if buffer)
    # The lowest letter is found at once, and is above both in all but a few columns.
    return any(
        letters.size and letters.min() <= ord("\r") and bool(np.isin(letters, (ord("\n"), ord("\r"))).any())
        for letters in columns
    )


def may_be_padded(column: pa.StringArray) -> bool:
    """Look for a value that begins or ends in a space of any kind: true too often, never too seldom."""
    _, places, letters = column.buffers()
    bounds = np.frombuffer(places, np.int32)[column.offset :][: len(column) + 1]
    if bounds[0] == bounds[-1]:
        return False
    # A blank value has the ends of its neighbours, which says nothing new.
    ends = np.frombuffer(letters, np.uint8).take(np.concatenate([bounds[:-1], bounds[1:] - 1]), mode="clip")
    return bool((ends <= ord(" ")).any() or (ends > ord("~")).any())
