"""Opens an extract in the way its contract declares. Nothing about a file is guessed."""

import re
from pathlib import Path

from ingestion.contract import Contract
from ingestion.delimited import DelimitedExtract
from ingestion.extract import LINE, ControlRecord, Extract
from ingestion.server import Server
from ingestion.workbook import WorkbookExtract

__all__ = ["LINE", "ControlRecord", "Extract", "open_extract"]


def open_extract(path: Path, contract: Contract, server: Server | None = None) -> Extract:
    """Check a file's header against its contract.

    `server` says how the file is written; without it, the declared server whose file name fits does, else the first.

    Raises:
        FileRefused: the file is empty, not written as declared, lacks a column, or repeats a header.
    """
    server = server or _server_by_name(path, contract)
    if server.format == "xlsx":
        return WorkbookExtract(path, contract, server)
    return DelimitedExtract(path, contract, server)


def _server_by_name(path: Path, contract: Contract) -> Server:
    for server in contract.servers:
        name = re.escape(Path(server.path).name).replace(r"\{date\}", r"\d{4}-\d{2}-\d{2}")
        if re.fullmatch(name.replace(r"\{council\}", r"[a-z0-9_]+"), path.name):
            return server
    return contract.servers[0]
