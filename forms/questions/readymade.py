"""Ready-made questions and answers of a study, in both languages. Pure.

They are the codes of two code lists. A person chooses one and may change the words after that;
what they left as it was is kept in both languages.
"""

from typing import NamedTuple

from ecrf.study.model import Code, Study, Words

NAME = "{item}"


class Said(NamedTuple):
    """What a person said: in English and, when it was ready-made, in Chinese too."""

    text: str
    text_zh: str | None = None
    template: str | None = None

    @property
    def longest(self) -> int:
        return max(len(self.text), len(self.text_zh or ""))


def questions(study: Study) -> tuple[Code, ...]:
    return _codes(study, study.query_words.questions)


def answers(study: Study) -> tuple[Code, ...]:
    return _codes(study, study.query_words.answers)


def named(code: Code, name: Words) -> Words:
    """Return the ready-made words with the item's name put in."""
    return Words(
        en=code.label.en.replace(NAME, name.en), zh=code.label.zh.replace(NAME, name.zh)
    )


def both(text: str, template: str, words: Words | None) -> Said:
    """Return what was said in both languages, as far as it begins with the ready-made words."""
    text = text.strip()
    if words is None:
        return Said(text)
    for mine, other in ((words.en, words.zh), (words.zh, words.en)):
        if text.startswith(mine):
            rest = text[len(mine) :]
            twin = other + rest
            en, zh = (text, twin) if mine == words.en else (twin, text)
            return Said(en, zh, template)
    return Said(text)


def _codes(study: Study, name: str) -> tuple[Code, ...]:
    found = study.codelists.get(name)
    return found.codes if found else ()
