"""Why a file is refused whole."""

from carehouse.errors import CarehouseError


class FileRefused(CarehouseError):
    """A file that must not be loaded: the last good delivery stays current.

    `reason_code` is short and fixed, for counting; the message is for the person who sends the file and
    never holds a value from it.
    """

    def __init__(self, reason_code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.reason_code = reason_code
