"""Free text of a dossier: what could tell a treatment or a site, and taking it out. Pure.

Words are found whatever their case. What is taken out leaves the same mark, however long it
was. A person decides for every free text; keeping a word that was found needs a reason.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import LOCALES, T
from ecrf.study import telling
from ecrf.study.adjudication import Dossier
from ecrf.study.model import Study

MARK = "█████"


class Do(StrEnum):
    """What becomes of one free text."""

    KEEP = "keep"
    CUT = "cut"
    OUT = "out"


class Decided(NamedTuple):
    """The decision on one free text, with the reason for keeping words that were found."""

    do: Do
    reason: str = ""


class Free(NamedTuple):
    """One free text of a dossier, where it stands, and the words found in it."""

    key: str
    form: Mapping[str, str]
    visit: Mapping[str, str]
    label: Mapping[str, str]
    text: str
    found: tuple[str, ...]

    @property
    def usual(self) -> Do:
        return Do.CUT if self.found else Do.KEEP


def terms(study: Study, rule: Dossier, more: Sequence[str]) -> tuple[str, ...]:
    """Return the words to look for; `more` are those of one participant: codes, kit numbers.

    Arms are looked for by id and label, sites by code and name, the product by its name.
    """
    words = {*rule.words, *more}
    for arm in study.arms:
        words |= {arm.id, arm.label.en, arm.label.zh}
    for site in study.sites:
        words |= {site.code, site.name.en, site.name.zh}
    if study.supply is not None:
        words |= {study.supply.product.en, study.supply.product.zh}
    return tuple(sorted((word for word in words if len(word) > 1), key=lambda w: (-len(w), w)))


def found_in(text: str, words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if telling.pattern(word).search(text))


def cut(text: str, words: Sequence[str]) -> str:
    """Return the text with every word found replaced by the mark."""
    for word in words:
        text = telling.pattern(word).sub(MARK, text)
    return text


def free_texts(raw: str, words: Sequence[str]) -> list[Free]:
    """Return every free text of a dossier in the order of its pages."""
    return [
        Free(
            value["free"], part["title"], part["visit"], label, value["value"]["en"],
            found_in(value["value"]["en"], words),
        )
        for part, label, value in _values(json.loads(raw))
        if "free" in value
    ]  # fmt: skip


def require_decided(
    texts: Sequence[Free], decisions: Mapping[str, Decided]
) -> dict[str, Decided]:
    """Return the decision on each text; refuse a word kept without a reason."""
    made = {text.key: decisions.get(text.key, Decided(text.usual)) for text in texts}
    problems = [
        Problem(
            text.key,
            T(
                "{label}: say why “{word}” may stay.",
                label=T("{en}", en=text.label["en"]), word=text.found[0],
            ),
        )
        for text in texts
        if text.found and made[text.key].do is Do.KEEP and not made[text.key].reason.strip()
    ]  # fmt: skip
    if problems:
        raise Unacceptable(
            T("Words were found that could tell a treatment or a site."), problems
        )
    return made


def redact(raw: str, decisions: Mapping[str, Decided], words: Sequence[str]) -> str:
    """Return the content as the committee reads it."""
    content = json.loads(raw)
    for _, _, value in _values(content):
        key = value.pop("free", None)
        if key is None:
            continue
        decided = decisions[key].do
        for locale in LOCALES:
            if decided is Do.OUT:
                value["value"][locale] = MARK
            elif decided is Do.CUT:
                value["value"][locale] = cut(value["value"][locale], words)
    return canonical(content)


def _values(content: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (part, label, value) of every answer in a dossier."""
    for part in content["parts"]:
        for line in part["lines"]:
            yield part, line["label"], line
        for grid in part["grids"]:
            for row in grid["rows"]:
                for cell in row["cells"]:
                    yield part, row["label"], cell
