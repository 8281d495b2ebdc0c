"""Beacons: public values nobody can know or choose beforehand. Pure.

The value is mixed into the sealed seed (`design.mixed`), so that whoever drew the seed could
not try seeds until the list looked right. Nothing is fetched: a person types the value in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import Message, T

SHORTEST, LONGEST = 4, 200


class Source(StrEnum):
    DRAND = "drand"
    NIST = "NIST"
    OTHER = "other"


SOURCES: Mapping[Source, Message] = {
    Source.DRAND: T("drand, randomness of a round (64 signs from 0-9 and a-f)"),
    Source.NIST: T("NIST beacon, output value of a pulse (128 signs from 0-9 and a-f)"),
    Source.OTHER: T("another public value, such as the closing figure of a market index"),
}
FORMS = {
    Source.DRAND: re.compile(r"[0-9a-f]{64}"),
    Source.NIST: re.compile(r"[0-9a-f]{128}"),
    Source.OTHER: re.compile(rf"[!-~]{{{SHORTEST},{LONGEST}}}"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which value will be used: its source, which one of it in words, known from when on."""

    source: Source
    words: str
    known_from: datetime

    def content(self, at: datetime) -> dict[str, str]:
        """Return it as it is stored; refuse one without words or not in the future."""
        words = " ".join(self.words.split())
        if not 0 < len(words) <= LONGEST:
            raise _wrong("words", T("Say in 1 to {n} characters which value it will be.",
                                    n=LONGEST))  # fmt: skip
        if self.known_from <= at:
            raise _wrong("known_from", T("The moment has to lie in the future: the value must "
                                         "not be known when it is chosen."))  # fmt: skip
        return {
            "source": self.source.value, "words": words,
            "known_from": self.known_from.isoformat(timespec="seconds"),
        }  # fmt: skip


def tidy(source: Source, typed: str) -> str:
    """Return the value in the one way it is written: no blanks, small letters."""
    value = "".join(typed.split()).lower()
    if not FORMS[source].fullmatch(value):
        raise _wrong("value", T("This is not a value of this source: {form}.",
                                form=SOURCES[source]))  # fmt: skip
    return value


def _wrong(item: str, message: Message) -> Unacceptable:
    return Unacceptable(message, [Problem(item, message)])
