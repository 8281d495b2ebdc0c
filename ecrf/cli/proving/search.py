"""Searching an installation for what may be in the vault alone. Reads only.

Keys, seeds and specifications may be nowhere in clear, in whatever coding. The labels of arms
may stand in the study's definition and nowhere else. Archives and the streams of PDF files are
opened.
"""

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ecrf.kernel.db import Base, Database
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from forms.tables import Entry
from visits.tables import Participant, Visit

AROUND = 10
SHORTEST = 8
DEFINING = frozenset({"protocol_version", "site_version", "study"})
"""Tables that hold the study's definition, in which the arms have their names."""


class Hit(NamedTuple):
    """Something found where it may not be: what, and in which file or table."""

    what: str
    where: str

    def message(self) -> Message:
        return T("{what} in {where}", what=self.what, where=self.where)


class Wanted(NamedTuple):
    """What is looked for, under the name it has in the report."""

    what: str
    content: bytes
    known: bytes = b""


def labels(study: Study, definition: str) -> tuple[Wanted, ...]:
    """Return the labels of the arms, and those ids that are no everyday word."""
    known = definition.encode()
    texts = {text for arm in study.arms for text in (arm.label.en, arm.label.zh, arm.id)}
    return tuple(
        Wanted("the name of an arm", text.encode(), known)
        for text in sorted(texts)
        if len(text.encode()) >= SHORTEST
    )


def coded(secrets: Iterable[tuple[str, bytes]]) -> tuple[Wanted, ...]:
    """Return each secret as it is, in hexadecimal and in base64."""
    return tuple(
        Wanted(name, form)
        for name, content in secrets
        for form in (content, content.hex().encode(), base64.b64encode(content).rstrip(b"="))
    )


def in_files(
    folders: Iterable[Path], spared: set[Path], wanted: Iterable[Wanted]
) -> Iterator[Hit]:
    """Yield every hit in the files of the folders, but for those that may hold it."""
    sought = tuple(wanted)
    for path in sorted({p for folder in folders for p in folder.rglob("*") if p.is_file()}):
        if path.resolve() not in spared:
            found = {
                one.what for part in unpacked(path.read_bytes()) for one in _in(part, sought)
            }
            yield from (Hit(what, path.name) for what in sorted(found))


def in_rows(database: Database, wanted: Iterable[Wanted]) -> Iterator[Hit]:
    """Yield every hit in the main database's rows outside the definition, by table."""
    sought = tuple(wanted)
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in DEFINING:
                continue
            found: Counter[str] = Counter()
            for row in session.execute(select(table)).yield_per(500):
                found.update({one.what for one in _in(_bytes(row), sought)})
            yield from (Hit(what, f"{table.name} ({n})") for what, n in sorted(found.items()))


def _bytes(row: Row[tuple[object, ...]]) -> bytes:
    parts = (v if isinstance(v, bytes) else str(v).encode() for v in row if v is not None)
    return b"\x00".join(parts)


def _in(content: bytes, sought: Iterable[Wanted]) -> Iterator[Wanted]:
    for one in sought:
        if any(_astray(content, one)):
            yield one


def _astray(content: bytes, one: Wanted) -> Iterator[bool]:
    """Yield for every place at which it stands without the definition's words around it.

    The page of a database file may end within them: one whole side is enough.
    """
    at = content.find(one.content)
    while at >= 0:
        end = at + len(one.content)
        before, after = content[max(0, at - AROUND) : end], content[at : end + AROUND]
        if not one.known or (before not in one.known and after not in one.known):
            yield True
        at = content.find(one.content, end)


def unpacked(content: bytes) -> Iterator[bytes]:
    """Yield the bytes and everything packed in them."""
    yield content
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name))
    elif content.startswith(b"\x1f\x8b"):
        yield from unpacked(gzip.decompress(content))
    elif content.startswith(b"%PDF"):
        yield from _streams(content)


def _streams(content: bytes) -> Iterator[bytes]:
    for part in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            packed = part
            if part.rstrip().endswith(b"~>"):
                packed = base64.a85decode(part.strip().removesuffix(b"~>"))
            yield zlib.decompress(packed)
        except (ValueError, zlib.error):
            continue


def answered(session: Session, study: Study) -> dict[str, list[str]]:
    """Return, by short id of an arm, the participants in whose answers the word stands."""
    ids = [arm.id for arm in study.arms if len(arm.id.encode()) < SHORTEST]
    found: dict[str, set[str]] = {id_: set() for id_ in ids}
    rows = session.execute(
        select(Participant.code, Entry.answers)
        .join(Visit, Visit.participant_id == Participant.id)
        .join(Entry, Entry.visit_id == Visit.id)
        .where(Participant.study == study.id)
    )
    for code, answers in rows:
        text = str(answers)
        for id_ in ids:
            if re.search(rf"(?<![A-Za-z0-9]){re.escape(id_)}(?![A-Za-z0-9])", text):
                found[id_].add(code)
    return {id_: sorted(codes) for id_, codes in found.items()}
