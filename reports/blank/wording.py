"""The texts of blank forms: one language or both, and what is said behind an item. Pure."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Expression, Form, Grid, Question
from ecrf.study.values import plain
from reports.shape import YES_NO

Language = Literal["en", "zh", "both"]
LANGUAGES: tuple[Language, ...] = ("en", "zh", "both")


class Tongue(NamedTuple):
    """The language or languages a paper is printed in."""

    language: Language

    def say(self, text: Text | None, joint: str = "\n") -> str:
        """Return a text; in both languages with `joint` between them unless they are alike."""
        if text is None:
            return ""
        if self.language != "both":
            return text.in_(self.language)
        en, zh = text.in_("en"), text.in_("zh")
        return en if en == zh else f"{en}{joint}{zh}"

    def short(self, text: Text | None) -> str:
        """Return a text for one line."""
        return self.say(text, " / ")


def behind(question: Question) -> Iterator[str]:
    """Yield what the definition says of a question, line by line, as a programmer reads it."""
    codes = question.codes or (YES_NO if question.type == "yes/no" else "")
    first = [question.type.value, f"codes {codes}" if codes else "", question.sdtm or ""]
    yield " · ".join(part for part in first if part)
    if question.units:
        units = (f"{u.name} x {u.factor:f}" for u in question.units[1:])
        yield "; ".join((f"unit {question.unit}", *units))
    for name, ends in (("hard", question.limits.hard), ("soft", question.limits.soft)):
        if ends is not None:
            yield f"{name} {plain(ends[0])} to {plain(ends[1])}"
    rest = [
        f"places {question.places}" if question.places is not None else "",
        f"unknown {question.unknown}" if question.unknown else "",
        f"missing {' '.join(question.missing)}" if question.missing else "",
        "masked" if question.blinding == "masked" else "",
        "" if question.source == "protocol" else f"source: {question.source}",
    ]
    if any(rest):
        yield " · ".join(part for part in rest if part)
    yield from _expressions(question)


def _expressions(question: Question) -> Iterator[str]:
    if question.require is True:
        yield "required: always"
    named = (
        ("required if", question.require),
        ("shown if", question.show),
        ("computed as", question.derive),
    )
    for name, expression in named:
        if isinstance(expression, Expression):
            yield f"{name} {expression.text}"


def checks_at(form: Form, member: Grid | Question, column: Question | None = None) -> str:
    """Return the ids of the checks at an item or a grid's column, for the annotation."""
    name = f"{member.id}.{column.id}" if column else member.id
    ids = [check.id for check in form.checks if check.item == name]
    return f"checks {', '.join(ids)}" if ids else ""


WHERE = (T("Participant"), T("Site"), T("Visit"), T("Date of the visit"))
CHECKS = (T("Check"), T("At item"), T("Fires when"), T("Severity"), T("Message"))
DICTIONARY = (
    T("Column"), T("Type"), T("Codes"), T("Unit"), T("Label"), T("Required"),
    T("Target variable"),
)  # fmt: skip
CODES = (T("List"), T("Value"), T("English"), T("Chinese"))
SEVERITY: dict[str, Message] = {"soft": T("asks"), "hard": T("refuses")}
