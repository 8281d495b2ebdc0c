"""A zip that is the same bytes whenever it holds the same: fixed times, order and rights."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from reports.writers import csv

EPOCH = (1980, 1, 1, 0, 0, 0)
LEVEL = 6
RIGHTS = 0o100644 << 16
UNIX = 3


class Facts(NamedTuple):
    """What the manifest says of a file; `rows` is None for what has none."""

    sha256: str
    bytes: int
    rows: int | None


class Member:
    """A file being written into the package."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()
        self._size = 0
        self.rows: int | None = None

    def write(self, text: str) -> None:
        self.put(text.encode())

    def put(self, data: bytes) -> None:
        self._raw.write(data)
        self._hash.update(data)
        self._size += len(data)

    @property
    def facts(self) -> Facts:
        return Facts(self._hash.hexdigest(), self._size, self.rows)


class Packing:
    """A package being made: files go in one after another, each is measured on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL)
        self.files: dict[str, Facts] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[Member]:
        info = ZipInfo(name, EPOCH)
        info.compress_type, info.external_attr, info.create_system = ZIP_DEFLATED, RIGHTS, UNIX
        with self._zip.open(info, "w", force_zip64=True) as raw:
            made = Member(raw)
            yield made
        self.files[name] = made.facts

    def text(self, name: str, content: str) -> None:
        with self.member(name) as member:
            member.write(content)

    def raw(self, name: str, content: bytes) -> None:
        with self.member(name) as member:
            member.put(content)

    def lines(self, name: str, lines: Iterable[str]) -> None:
        """Write lines that carry their own LF; the rows are counted."""
        with self.member(name) as member:
            member.rows = 0
            for line in lines:
                member.write(line)
                member.rows += 1

    def table(self, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write a CSV file; the header is no row."""
        with self.member(name) as member:
            member.write(csv.line(header))
            member.rows = 0
            for row in rows:
                member.write(csv.line(row))
                member.rows += 1

    def close(self) -> None:
        self._zip.close()
