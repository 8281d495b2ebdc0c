"""How people, lists of things and times are said in the texts of CONSORT 2025. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from ecrf.kernel.text import T, Text, say
from reports.consort.facts import Person

NOBODY = T("nobody")


class Joined(NamedTuple):
    """Texts one after another, with commas of the language."""

    parts: tuple[Text | str, ...]

    def in_(self, locale: str) -> str:
        comma = "、" if locale == "zh" else ", "
        return comma.join(say(part, locale) for part in self.parts) or NOBODY.in_(locale)


def moment(stamp: str) -> str:
    """Return a time of the ledger to the minute."""
    return f"{stamp[:10]} {stamp[11:16]} UTC"


def names(people: Sequence[Person]) -> Text:
    return Joined(tuple(person.name for person in people))
