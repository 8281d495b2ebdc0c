"""What a study says of an item answered by a file: which kinds, and how big. Pure."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from ecrf.study.parts import Frozen

FileKind = Literal["pdf", "jpeg", "png", "dicom"]


class FileRule(Frozen):
    """`kinds` are told by the first bytes, not by the name; `megabytes` is the most allowed."""

    kinds: Annotated[tuple[FileKind, ...], Field(min_length=1)] = ("pdf", "jpeg", "png")
    megabytes: Annotated[int, Strict(), Field(ge=1, le=6)] = 5
