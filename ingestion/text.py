"""Turns the bytes of a delimited file into UTF-8, refusing what is not in the declared encoding."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from ingestion.containers import Source
from ingestion.contract import Contract
from ingestion.extract import ControlRecord
from ingestion.refusal import FileRefused
from ingestion.server import Server

BLOCK_BYTES = 2 << 20
LONGEST_RECORD_BYTES = 4 << 10
TAIL_BYTES = 64
# Stands for a delimiter that takes more than one byte; a file that holds it is refused.
STAND_IN = "\x1f"
MARKS = {
    codecs.BOM_UTF8: ("utf-8",),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
}
WEB_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
COUNT = re.compile(r"\d{1,18}")
LINE_END = re.compile(rb"\r\n?|\n")
TOTAL = re.compile(r"-?\d{1,18}(\.\d{1,8})?")


def delimiter_in_text(server: Server) -> str:
    """Give what divides the columns in the UTF-8 text: always a single byte."""
    return server.delimiter if server.delimiter.isascii() else STAND_IN


class Text:
    """The text of one file, as UTF-8 without a byte order mark and without its control record.

    `saw_quote`, `saw_nul`: the quote character, or a NUL, stood in what was given so far. `tail`: its last bytes.
    `control_record`: what the control record says, once everything was given.
    """

    def __init__(self, name: str, source: Source, contract: Contract, server: Server) -> None:
        """Nothing is read before `chunks` is."""
        self._name, self._source, self._contract, self._server = name, source, contract, server
        self._quote = server.quote.encode() if server.quote else b""
        self.saw_quote = self.saw_nul = False
        self.tail = b""
        self.control_record: ControlRecord | None = None

    def chunks(self) -> Iterator[bytes]:
        """Give the text piece by piece.

        Raises:
            FileRefused: it is not in the declared encoding, or lacks the promised control record.
        """
        for chunk in self._without_control_record(self._utf8()):
            if self._quote and not self.saw_quote:
                self.saw_quote = self._quote in chunk
            self.saw_nul = self.saw_nul or b"\0" in chunk
            self.tail = chunk[-TAIL_BYTES:] if len(chunk) >= TAIL_BYTES else (self.tail + chunk)[-TAIL_BYTES:]
            yield chunk

    def _utf8(self) -> Iterator[bytes]:
        start = self._source.read(BLOCK_BYTES)
        mark = self._mark(start)
        start = start[len(mark) :]
        if self._server.encoding == "utf-8" and self._server.delimiter.isascii():
            yield from self._checked(start)
        else:
            yield from self._transcoded(start, mark)

    def _checked(self, chunk: bytes) -> Iterator[bytes]:
        """Pass UTF-8 on as it is. Looked at here, a wrong letter is found in rows of any shape."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            try:
                # Most text is ASCII, which is told many times faster.
                if not chunk.isascii() or not chunk or decoder.getstate()[0]:
                    decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                with Source(self._source.path, self._server) as again:
                    line = _first_undecodable_line(again)
                raise self._not_encoded(f"line {line} is not") from None
            if not chunk:
                break
            yield chunk
            chunk = self._source.read(BLOCK_BYTES)

    def _mark(self, start: bytes) -> bytes:
        """Give the byte order mark, which must be that of the declared encoding."""
        declared = self._server.encoding
        for mark, encodings in MARKS.items():
            if start.startswith(mark):
                if declared not in encodings:
                    raise self._not_encoded(f"it begins with the mark of {encodings[0]}")
                return mark
        if declared == "utf-16" and start:
            raise self._not_encoded("it lacks the byte order mark that says which byte comes first")
        if WEB_PAGE.match(start):
            raise FileRefused("wrong_format", f"{self._name}: the file is a web page or XML, not delimited text.")
        if declared in {"utf-8", "windows-1252"} and b"\0" in start[:TAIL_BYTES]:
            raise self._not_encoded("it begins with NUL bytes, as utf-16 text without a mark does")
        return b""

    def _transcoded(self, start: bytes, mark: bytes) -> Iterator[bytes]:
        encoding = self._server.encoding
        if encoding == "utf-16":
            encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
        decoder = codecs.getincrementaldecoder(encoding)()
        doubt = _Utf8Doubt() if encoding == "windows-1252" else None
        line, chunk = 1, start
        while True:
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as fault:
                line += fault.object[: fault.start].decode(encoding, errors="ignore").count("\n")
                raise self._not_encoded(f"line {line} holds bytes that are none") from None
            line += text.count("\n")
            if doubt:
                doubt.look_at(chunk)
            if not self._server.delimiter.isascii():
                if STAND_IN in text:
                    raise FileRefused("control_characters", f"{self._name}: the file holds the character U+001F.")
                text = text.replace(self._server.delimiter, STAND_IN)
            if text:
                yield text.encode()
            if not chunk:
                break
            chunk = self._source.read(BLOCK_BYTES)
        if doubt and doubt.is_utf8():
            raise self._not_encoded("every letter beyond ASCII in it is written as utf-8 writes it")

    def _not_encoded(self, why: str) -> FileRefused:
        return FileRefused("encoding", f"{self._name}: the file is not {self._server.encoding} text throughout: {why}.")

    def _without_control_record(self, body: Iterator[bytes]) -> Iterator[bytes]:
        promised = self._contract.control_total
        if promised is None:
            return body
        return self._without_first_record(body) if promised.is_first else self._without_last_record(body)

    def _without_first_record(self, body: Iterator[bytes]) -> Iterator[bytes]:
        begun = b""
        while (line_end := LINE_END.search(begun)) is None and len(begun) < LONGEST_RECORD_BYTES:
            chunk = next(body, b"")
            if not chunk:
                break
            begun += chunk
        if not begun:
            return
        # A CR at the end of a piece may be the first half of a line end.
        if line_end and line_end.end() == len(begun):
            begun += next(body, b"")
            line_end = LINE_END.search(begun)
        self.control_record = self._control_record(begun[: line_end.start()] if line_end else begun)
        if line_end and (rest := begun[line_end.end() :]):
            yield rest
        yield from body

    def _without_last_record(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """Hold back the last bytes until the end has come and the record can be told from them."""
        held = b""
        for chunk in body:
            together = held + chunk
            if len(together) > LONGEST_RECORD_BYTES:
                yield together[:-LONGEST_RECORD_BYTES]
                together = together[-LONGEST_RECORD_BYTES:]
            held = together
        ended = held.rstrip(b"\r\n")
        begins = max(ended.rfind(b"\n"), ended.rfind(b"\r")) + 1
        self.control_record = self._control_record(ended[begins:])
        if begins:
            yield held[:begins]

    def _control_record(self, record: bytes) -> ControlRecord:
        promised = self._contract.control_total
        assert promised is not None, "only a contract that promises a control record looks for one"  # noqa: S101
        text = record.decode("utf-8", errors="replace")
        fields, _ = first_record(text, self._server)
        match fields:
            case [promised.marker, row_count, total] if COUNT.fullmatch(row_count) and TOTAL.fullmatch(total):
                return ControlRecord(int(row_count), Decimal(total))
        what = "begin with" if promised.is_first else "end with"
        so = "so nobody can tell whether it is whole" if promised.is_first else "so it may be cut short"
        raise FileRefused(
            "control_total_missing", f"{self._name}: the file does not {what} its {promised.words}, {so}."
        )


def first_record(text: str, server: Server) -> tuple[list[str], int]:
    """Divide the first record of a text as the server declares; say how many lines it takes."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if server.quote else csv.QUOTE_NONE
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter_in_text(server), quotechar=server.quote, quoting=quoting)
    return next(reader, []), reader.line_num


def _first_undecodable_line(source: Source) -> int:
    """Find the line of a UTF-8 file on which the first wrong byte stands."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    while True:
        chunk = source.read(BLOCK_BYTES)
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as fault:
            return line + fault.object[: fault.start].count(b"\n")
        if not chunk:
            return line


class _Utf8Doubt:
    """Watches whether a file that should be windows-1252 is UTF-8 instead, which would garble each name in it."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._beyond_ascii = False

    def look_at(self, chunk: bytes) -> None:
        if self._decoder is None or (chunk.isascii() and chunk and not self._beyond_ascii):
            return
        self._beyond_ascii = self._beyond_ascii or not chunk.isascii()
        try:
            self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self._decoder = None

    def is_utf8(self) -> bool:
        return self._beyond_ascii and self._decoder is not None
