"""Errors that are meant to be read by a person."""


class CarehouseError(Exception):
    """Something a person can put right; the command prints the message alone, without a traceback.

    The message names the file, rule or setting and whom to ask or what to do. It never holds a value
    from an extract.
    """

    exit_code = 1
