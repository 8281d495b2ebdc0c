"""Texts people read. Every one exists in English and in Simplified Chinese.

A text of the program is a `Message`: its English wording is its key, `T("...")` makes it, and
`locale/zh.po` holds the Chinese. A text of a study (`ecrf.study.model.Words`) carries both.
Both answer `in_(locale)`; nothing else may be shown to a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Protocol, runtime_checkable

from babel.messages.pofile import read_po

LOCALES = ("en", "zh")


@runtime_checkable
class Text(Protocol):
    """Anything that can be said in each of `LOCALES`."""

    def in_(self, locale: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    """A text of the program with the values to be put in; values may be texts themselves."""

    wording: str
    values: Mapping[str, object] = field(default_factory=dict)

    def in_(self, locale: str) -> str:
        wording = self.wording if locale == "en" else _catalog(locale).get(self.wording, "")
        return (wording or self.wording).format_map(
            {name: say(value, locale) for name, value in self.values.items()}
        )

    def __str__(self) -> str:
        return self.in_("en")

    def __hash__(self) -> int:
        return hash((self.wording, tuple(sorted(self.values))))


def T(wording: str, /, **values: object) -> Message:  # noqa: N802 (reads as a mark, not a call)
    """Make a message; `{name}` in the wording is replaced by the value of that name."""
    return Message(wording, values)


def say(value: object, locale: str) -> str:
    """Return `value` as text in `locale`; what is no text is shown as it prints."""
    in_ = getattr(value, "in_", None)
    return str(value) if in_ is None else str(in_(locale))


@cache
def _catalog(locale: str) -> Mapping[str, str]:
    with files("ecrf.kernel").joinpath("locale", f"{locale}.po").open("rb") as file:
        return {
            str(entry.id): str(entry.string)
            for entry in read_po(file, locale=locale)
            if entry.id and entry.string
        }
