"""Words that tell a treatment, looked for in what people write. Pure."""

import re
from collections.abc import Sequence
from functools import cache

from ecrf.study.model import Study

SHORT = 4


def words(study: Study) -> tuple[str, ...]:
    """Return what could name a treatment: arms by id and label, what the study lists.

    The product's name stands on every kit alike and tells nothing.
    """
    found = {*study.code_break.words}
    for arm in study.arms:
        found |= {arm.id, arm.label.en, arm.label.zh}
    return tuple(sorted((word for word in found if len(word) > 1), key=lambda w: (-len(w), w)))


def named(text: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the words that stand in the text, whatever their case."""
    return tuple(word for word in wanted if pattern(word).search(text))


@cache
def pattern(word: str) -> re.Pattern[str]:
    """Match a short Latin word only where no letter stands beside it."""
    plain = re.escape(word)
    if len(word) <= SHORT and word.isascii():
        plain = rf"(?<![A-Za-z]){plain}(?![A-Za-z])"
    return re.compile(plain, re.IGNORECASE)
