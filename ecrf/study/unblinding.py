"""Words that could tell a treatment, and where a study says that they may stand. Pure.

The words are data of the library (`unblinding.yaml`); Latin ones are looked for as whole words
in any case, Chinese ones anywhere in a text.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from pydantic import Field

from ecrf.study.parts import Frozen, Words

_LATIN = re.compile(r"[A-Za-z]")
_EDGE = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_CAPITALS = 4


class Accepted(Frozen):
    """A place that may stand although it could unblind, and why.

    `where` names forms, items (`form.item`, `form.grid.column`), checks and visits.
    """

    where: tuple[str, ...] = Field(min_length=1)
    why: Words


class AcceptedHere(Frozen):
    """The same, said at the item itself."""

    accepted: Words


class Level(Frozen):
    """What a treatment moves in the blood: looked for only where it is given."""

    treatment: tuple[str, ...]
    words: tuple[str, ...]


class Vocabulary(Frozen):
    """`library/unblinding.yaml`: the words of each kind."""

    levels: tuple[Level, ...] = ()
    level: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    guess: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()

    def levels_of(self, given: Iterable[str]) -> tuple[str, ...]:
        """Return the words for what the treatments named in these texts move."""
        texts = tuple(given)
        found = [
            word
            for level in self.levels
            if any(named(level.treatment, text) for text in texts)
            for word in level.words
        ]
        return (*self.level, *found)

    @cached_property
    def common(self) -> frozenset[str]:
        return frozenset(word.lower() for word in self.plain)


def named(words: Iterable[str], text: str) -> str | None:
    """Return the first of the words that stands in the text."""
    some = tuple(words)
    if not some or not _any(some).search(text):
        return None
    return next((word for word in some if _any((word,)).search(text)), None)


def names_of(text: str, plain: frozenset[str]) -> Iterator[str]:
    """Yield what in the label of an arm names a treatment: its words, without the plain ones.

    A Chinese label has no blanks; what stands in brackets is the name, or the whole.
    """
    if _LATIN.search(text):
        yield from (
            w for w in re.findall(r"[A-Za-z][A-Za-z-]+", text) if w.lower() not in plain
        )
        return
    inside = re.findall(r"[（(]([^（）()]+)[）)]", text) or [text]
    yield from (part for part in inside if part not in plain)


@cache
def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, words)))


def _pattern(word: str) -> str:
    """Short words in capitals, such as MPA or MMF, are names and count as written."""
    if not _LATIN.search(word):
        return re.escape(word)
    exact = len(word) <= _CAPITALS and any(sign.isupper() for sign in word)
    whole = f"{_EDGE[0]}{re.escape(word)}{_EDGE[1]}"
    return whole if exact else f"(?i:{whole})"
