"""Gives the bytes of a delivered file: hashed as they lie on disk, expanded as its server declares, never a bomb.

Nothing is written to disk, no name inside an archive is ever used as a path, and no more than one read is held.
"""

import gzip
import hashlib
import io
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ingestion.refusal import FileRefused
from ingestion.server import Server

# Below this a strong expansion harms nobody: a short file of blanks shrinks beyond any ratio.
RATIO_COUNTS_FROM_BYTES = 64_000_000
# The directory of an archive is read at once. One file takes a hundred bytes of it, a workbook a few thousand.
LONGEST_READ_BYTES = 4 << 20
ENCRYPTED = 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAGIC = {
    b"\x1f\x8b": "gzip file",
    b"PK\x03\x04": "zip file or workbook",
    b"PK\x05\x06": "zip file",
    b"\xd0\xcf\x11\xe0": "workbook that is protected by a password or of the old .xls kind",
    b"%PDF": "PDF document",
}


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Source:
    """The expanded bytes of one file, from its beginning to its end."""

    def __init__(self, path: Path, server: Server) -> None:
        """Open the file.

        Raises:
            FileRefused: it is not packed as its server declares, or its archive holds anything but one file.
        """
        self.path = path
        self._name, self._server = path.name, server
        self._given = 0
        self._packed_bytes: int | None = None
        self._disk = _Disk(path)
        try:
            self._stream = self._open()
        except BaseException:
            self._disk.close()
            raise

    def __enter__(self) -> Self:
        """Give the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._stream.close()
        self._disk.close()

    def read(self, size: int) -> bytes:
        """Give at most `size` bytes, none at the end.

        Raises:
            FileRefused: the archive is damaged, cut short or expands beyond its limits.
        """
        try:
            data = self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as fault:
            raise self._damaged("cut short" if isinstance(fault, EOFError) else "damaged") from None
        if self._server.compression:
            if not self._given and data.startswith(tuple(MAGIC)):
                raise FileRefused("wrong_format", f"{self._name}: inside is another packed file, not a text.")
            self._given += len(data)
            packed = self._disk.tell() if self._packed_bytes is None else self._packed_bytes
            refuse_bomb(self._name, self._server, packed, self._given)
        return data

    def content_sha256(self) -> str:
        """Give the hash of the whole file as it lies on disk, whatever part of it was read."""
        return self._disk.whole_sha256(again=self._server.compression == "zip")

    def _damaged(self, how: str) -> FileRefused:
        return FileRefused(
            "damaged_archive", f"{self._name}: the {self._server.compression} file is {how}; please send it again."
        )

    def _open(self) -> "_Stream":
        if self._server.compression == "gzip":
            self._must_begin(b"\x1f\x8b", "gzip")
            return gzip.GzipFile(fileobj=self._disk, mode="rb")
        if self._server.compression == "zip":
            self._must_begin(b"PK", "zip")
            archive, members = open_archive(self._name, self._disk)
            return self._single(archive, members)
        start = self._disk.peek()
        for magic, kind in MAGIC.items():
            if start.startswith(magic):
                raise FileRefused(
                    "wrong_format",
                    f"{self._name}: the file is a {kind}; the contract expects plain delimited text under this name.",
                )
        return self._disk

    def _must_begin(self, magic: bytes, kind: str) -> None:
        start = self._disk.peek()
        if start and not start.startswith(magic):
            raise FileRefused("wrong_format", f"{self._name}: the file is named as a {kind} file, but is none.")
        if not start:
            raise FileRefused("empty_file", f"{self._name}: the file is empty; not even a header came.")

    def _single(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> "_Stream":
        if "[Content_Types].xml" in (member.filename for member in members):
            raise FileRefused(
                "wrong_format", f"{self._name}: the file is a workbook, not a zip file with a text in it."
            )
        if len(members) != 1:
            raise FileRefused(
                "not_one_file", f"{self._name}: the zip file holds {len(members):,} entries; it must hold one file."
            )
        (member,) = members
        if any(mark in member.filename for mark in ("/", "\\", ":", "\0")) or member.is_dir():
            raise FileRefused("not_one_file", f"{self._name}: the file inside the zip file lies in a folder.")
        self._packed_bytes = member.compress_size
        refuse_bomb(self._name, self._server, member.compress_size, member.file_size)
        try:
            return archive.open(member)
        except (zipfile.BadZipFile, NotImplementedError, OSError):
            raise self._damaged("damaged") from None


def open_archive(name: str, disk: "_Disk") -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a zip archive and list what it holds. Reading a member never gives more than it declares there.

    Raises:
        FileRefused: it is damaged, encrypted, or packed in a way that is not read.
    """
    try:
        archive = zipfile.ZipFile(disk)
        members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise FileRefused(
            "damaged_archive", f"{name}: the zip file is damaged or cut short; please send it again."
        ) from None
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise FileRefused("encrypted", f"{name}: the file is protected by a password and cannot be read.")
    if any(member.compress_type not in METHODS for member in members):
        raise FileRefused("wrong_format", f"{name}: the zip file is packed by another method than deflate.")
    return archive, members


def refuse_bomb(name: str, server: Server, packed: int, expanded: int) -> None:
    """Refuse what grows beyond the server's limits.

    Raises:
        FileRefused: naming the limit.
    """
    if expanded > server.expanded_limit_bytes:
        raise FileRefused(
            "expands_too_far",
            f"{name}: the file expands to more than {server.expanded_limit_bytes / 1e6:,.0f} MB, the limit its "
            "contract sets (expandedLimitMegabytes).",
        )
    if expanded > RATIO_COUNTS_FROM_BYTES and expanded > server.expansion_limit_ratio * max(packed, 1):
        raise FileRefused(
            "expands_too_far",
            f"{name}: the file expands to more than {server.expansion_limit_ratio} times its size, the limit its "
            "contract sets (expansionLimitRatio).",
        )


class _Disk(io.FileIO):
    """The file as it lies on disk, hashed as it is read from beginning to end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._hash = hashlib.sha256()

    def read(self, size: int | None = -1) -> bytes:
        # An archive may claim a directory of any length.
        if size is not None and size > LONGEST_READ_BYTES:
            raise zipfile.BadZipFile
        data = super().read(-1 if size is None else size) or b""
        self._hash.update(data)
        return data

    def peek(self) -> bytes:
        start = super().read(8) or b""
        self.seek(0)
        return start

    def whole_sha256(self, again: bool) -> str:
        """Read what is left; `again`, from the beginning, when it was not read in order."""
        if again:
            self.seek(0)
            self._hash = hashlib.sha256()
        while self.read(LONGEST_READ_BYTES):
            pass
        return self._hash.hexdigest()


def open_disk(path: Path) -> _Disk:
    """Open a file to be hashed while it is read."""
    return _Disk(path)
