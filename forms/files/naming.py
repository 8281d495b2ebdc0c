"""An answer that is a file: `report.pdf sha256:…`, and what a file is by its bytes. Pure.

The name is for people, the hash says which content it is; the content is kept beside the
answers (`forms.files.keeping`).
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.files import FileKind, FileRule
from ecrf.study.model import Form, ItemType, Question

MEGABYTE = 1_000_000
LONGEST = 120
ANSWER = re.compile(r"(?P<name>[^\n]{1,120}) sha256:(?P<sha256>[0-9a-f]{64})")
SIGNS: Mapping[FileKind, tuple[int, bytes]] = {
    "pdf": (0, b"%PDF-"),
    "jpeg": (0, b"\xff\xd8\xff"),
    "png": (0, b"\x89PNG\r\n\x1a\n"),
    "dicom": (128, b"DICM"),
}
"""Where in a file of a kind stand which bytes."""

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "pdf": (".pdf",),
    "jpeg": (".jpg", ".jpeg"),
    "png": (".png",),
    "dicom": (".dcm",),
}
TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "dicom": "application/dicom",
}


class Named(NamedTuple):
    """The file an answer names."""

    name: str
    sha256: str

    @property
    def answer(self) -> str:
        return f"{self.name} sha256:{self.sha256}"


def items(form: Form) -> tuple[str, ...]:
    """Return the items of a form that are answered by a file."""
    return tuple(key for key, cell in form.cells.items() if cell.question.type is ItemType.FILE)


def rule(question: Question) -> FileRule:
    return question.file or FileRule()


def named(text: str) -> Named | None:
    """Return the file a text names, or None when it names none."""
    found = ANSWER.fullmatch(text)
    return Named(found["name"], found["sha256"]) if found else None


def read(label: Text, text: str) -> str | Text:
    """Return the canonical value of an answer, which is the hash; else what is wrong."""
    found = named(text)
    if found is None:
        return T("{label}: is answered by a file. Choose one and save.", label=label)
    return found.sha256


def short(text: str) -> str:
    """Return an answer as it is printed: the name, and the beginning of the hash."""
    found = named(text)
    return f"{found.name} (sha256 {found.sha256[:12]}…)" if found else text


def kind(content: bytes) -> FileKind | None:
    """Say what a file is by its first bytes; its name can say anything."""
    for known, (at, sign) in SIGNS.items():
        if content[at : at + len(sign)] == sign:
            return known
    return None


def clean(name: str) -> str:
    """Return the last part of a name without signs that are no text, at most so long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    kept = " ".join(kept.replace("sha256:", "").split()) or "file"
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) < 10:
        return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
    return kept[:LONGEST]


def refusal(label: Text, allowed: FileRule, name: str, content: bytes) -> Text | None:
    """Return why a file cannot be taken and which can, or None when it can."""
    if not content:
        return T("{label}: the file {name} is empty.", label=label, name=name)
    if len(content) > allowed.megabytes * MEGABYTE:
        return T(
            "{label}: {name} has {size} MB. At most {most} MB are taken.",
            label=label, name=name, size=f"{len(content) / MEGABYTE:.1f}",
            most=allowed.megabytes,
        )  # fmt: skip
    if kind(content) not in allowed.kinds:
        return T(
            "{label}: {name} is none of the kinds taken: {kinds}.",
            label=label, name=name, kinds=", ".join(allowed.kinds).upper(),
        )  # fmt: skip
    return None
