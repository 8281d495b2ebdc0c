"""A form that tells of an accidental unblinding raises the same task as a code break."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import telling
from forms.answers import Answer
from forms.lookup import Found
from forms.unblinded import events
from forms.unblinded.events import ACCIDENTAL, Told, Who


def follow(
    session: Session, by: By, found: Found, entry_id: int, answers: Mapping[str, Answer]
) -> None:
    """Write down the unblinding an entry tells of, once; no statement for any other entry."""
    rule = found.study.code_break.accidental
    if rule is None or found.form.id != rule.form or not _tells(answers, rule.item, rule.value):
        return
    told = Told(f"entry:{entry_id}", ACCIDENTAL, "form", ACCIDENTAL, by.actor.name, by.at)
    one = found.participant
    who = Who(one.id, one.study, one.site, one.code, found.site.zone)
    events.record(session, by, found.study, who, told, T("accidental unblinding"))


def warned(found: Found, answers: Mapping[str, Answer]) -> tuple[tuple[str, str], ...]:
    """Return (item, word) of what is written in words on that form and names a treatment."""
    rule = found.study.code_break.accidental
    if rule is None or found.form.id != rule.form:
        return ()
    wanted = telling.words(found.study)
    return tuple(
        (key, telling.named(answer.text, wanted)[0])
        for key, answer in answers.items()
        if answer.text and telling.named(answer.text, wanted)
    )


def _tells(answers: Mapping[str, Answer], item: str, value: str) -> bool:
    answer = answers.get(item)
    return answer is not None and answer.value == value
