"""The ways in which a table is delivered: where each file lies, and how exactly it is written."""

from dataclasses import dataclass
from typing import Any

from open_data_contract_standard.model import Server as SaidServer

ENCODINGS = ("utf-8", "windows-1252", "utf-16", "utf-16-le", "utf-16-be")
FORMATS = ("csv", "xlsx")
NO_QUOTE = "none"
COMPRESSIONS = {".gz": "gzip", ".zip": "zip"}
KEYS = ("id", "server", "type", "description", "path", "format", "delimiter", "encoding", "customProperties")
SETTINGS = {
    "csv": ("quote", "finalLineEnd", "expandedLimitMegabytes", "expansionLimitRatio"),
    "xlsx": ("sheet", "headerRow", "expandedLimitMegabytes", "expansionLimitRatio"),
}
LONGEST_SHEET_NAME = 31
MEGABYTE = 1_000_000

# The largest county extract foreseen, ten million lines, is below 2 GB; a file beyond 8 GB is a mistake or an attack.
CSV_EXPANDED_LIMIT_MEGABYTES = 8_000
# A sheet of 200,000 rows of ten cells is about 100 MB of XML. Anything much larger belongs in a delimited file.
XLSX_EXPANDED_LIMIT_MEGABYTES = 256
# Extracts shrink to between a fifth and a thirtieth; deflate's own limit, which only bombs reach, is 1,032.
EXPANSION_LIMIT_RATIO = 200


@dataclass(frozen=True)
class Server:
    """One way in which a table is delivered. A file that is written otherwise is refused, never guessed at.

    `compression` follows from the path's suffix: gzip, zip or None. `quote` is None when no character quotes.
    `sheet` and `header_row` say where a workbook holds the table.
    """

    name: str
    path: str
    format: str
    delimiter: str
    quote: str | None
    encoding: str
    compression: str | None
    needs_final_line_end: bool
    sheet: str
    header_row: int
    expanded_limit_bytes: int
    expansion_limit_ratio: int

    @property
    def dialect(self) -> str:
        """What a file is, in words for people."""
        if self.format == "xlsx":
            return f"Excel workbook, sheet `{self.sheet}`, header in row {self.header_row}"
        quote = "no quotes" if self.quote is None else f"quoted by `{self.quote}`"
        packed = f", {self.compression}" if self.compression else ""
        return f"columns separated by {_shown(self.delimiter)}, {quote}, {self.encoding}{packed}"


def understand_servers(said: list[SaidServer]) -> tuple[Server, ...]:
    """Understand the `servers` of a contract, in their order.

    Raises:
        ValueError: naming the server and what about it is not understood.
    """
    servers = tuple(_server(each) for each in said)
    names = [server.name for server in servers]
    if len(set(names)) < len(names):
        raise ValueError("two servers share a name")
    return servers


def _server(said: SaidServer) -> Server:
    name = said.server or ""
    if not name:
        raise ValueError("servers.server, the name of a server, is missing")
    if idle := sorted(said.model_fields_set - set(KEYS)):
        raise ValueError(f"server {name} says {', '.join(idle)}, which is not read; known are {', '.join(KEYS)}")
    if not said.path:
        raise ValueError(f"server {name}: path is missing")
    if said.format not in FORMATS:
        raise ValueError(f"server {name}: format is {said.format!r}; allowed are {', '.join(FORMATS)}")
    given = {each.property or "": each.value for each in said.customProperties or []}
    if unknown := sorted(set(given) - set(SETTINGS[said.format])):
        raise ValueError(
            f"server {name}: unknown customProperties {unknown}; a {said.format} file knows "
            f"{', '.join(SETTINGS[said.format])}"
        )
    try:
        return _delimited(name, said, given) if said.format == "csv" else _workbook(name, said, given)
    except ValueError as error:
        raise ValueError(f"server {name}: {error}") from None


def _delimited(name: str, said: SaidServer, given: dict[str, Any]) -> Server:
    delimiter = said.delimiter or ""
    _must_divide(delimiter, "delimiter")
    quote = given.get("quote", '"')
    if quote == NO_QUOTE:
        quote = None
    else:
        _must_divide(quote, "quote")
        if not quote.isascii():
            raise ValueError("quote must be an ASCII character")
        if quote == delimiter:
            raise ValueError("quote and delimiter are the same character")
    if said.encoding not in ENCODINGS:
        raise ValueError(f"encoding is {said.encoding!r}; allowed are {', '.join(map(repr, ENCODINGS))}")
    final_line_end = given.get("finalLineEnd", "optional")
    if final_line_end not in ("optional", "required"):
        raise ValueError("finalLineEnd must be 'optional' or 'required'")
    path = str(said.path)
    return Server(
        name=name,
        path=path,
        format="csv",
        delimiter=delimiter,
        quote=quote,
        encoding=str(said.encoding),
        compression=next((kind for suffix, kind in COMPRESSIONS.items() if path.endswith(suffix)), None),
        needs_final_line_end=final_line_end == "required",
        sheet="",
        header_row=1,
        **_limits(given, CSV_EXPANDED_LIMIT_MEGABYTES),
    )


def _workbook(name: str, said: SaidServer, given: dict[str, Any]) -> Server:
    if said.delimiter or said.encoding:
        raise ValueError("a workbook has no delimiter and no encoding")
    if not str(said.path).endswith(".xlsx"):
        raise ValueError("the path of a workbook ends with .xlsx")
    sheet = given.get("sheet")
    if not isinstance(sheet, str) or not 0 < len(sheet) <= LONGEST_SHEET_NAME:
        raise ValueError("sheet must name the sheet that holds the table, in at most 31 characters")
    return Server(
        name=name,
        path=str(said.path),
        format="xlsx",
        delimiter="",
        quote=None,
        encoding="",
        compression=None,
        needs_final_line_end=False,
        sheet=sheet,
        header_row=_whole(given.get("headerRow", 1), "headerRow"),
        **_limits(given, XLSX_EXPANDED_LIMIT_MEGABYTES),
    )


def _limits(given: dict[str, Any], megabytes: int) -> dict[str, int]:
    return {
        "expanded_limit_bytes": MEGABYTE
        * _whole(given.get("expandedLimitMegabytes", megabytes), "expandedLimitMegabytes"),
        "expansion_limit_ratio": _whole(given.get("expansionLimitRatio", EXPANSION_LIMIT_RATIO), "expansionLimitRatio"),
    }


def _whole(value: object, setting: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{setting} must be a whole number of at least 1")
    return value


def _must_divide(character: object, setting: str) -> None:
    if not isinstance(character, str) or len(character) != 1:
        raise ValueError(f"{setting} must be a single character")
    if character.isalnum() or character in "\r\n\0 .-+/\ufeff":
        raise ValueError(f"{setting} is {character!r}, which values themselves are written with")


def _shown(delimiter: str) -> str:
    return "tabs" if delimiter == "\t" else f"`{delimiter}`" if delimiter.isprintable() else f"`{delimiter!r}`"
