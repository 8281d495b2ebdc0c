"""Under which version of the consent form a participant stands, and whether it is in force.

The last consent counts, on whichever visit it was written down, so consenting again under a
newer version counts, too. Pure.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.allocating import ConsentVersions
from ecrf.study.values import days
from forms.context import Entered

YES = "Y"


class Consent(NamedTuple):
    """A consent as written down: the version as typed, the day, where it stands."""

    version: str
    on: date
    visit: str
    number: int


class Verdict(NamedTuple):
    """Whether the version counts, said for whoever reads the list, and where it stands."""

    met: bool
    text: Text
    visit: str | None


def last(rule: ConsentVersions, entries: Sequence[Entered]) -> Consent | None:
    """Return the last consent that was signed, by its own date."""
    found = [
        Consent(entry.answers[rule.item].text, day.last, entry.key, entry.number)
        for entry in entries
        if entry.form == rule.form
        and rule.item in entry.answers
        and rule.signed in entry.answers
        and entry.answers[rule.signed].value == YES
        and rule.date in entry.answers
        and (day := days(entry.answers[rule.date].value)) is not None
    ]
    return max(found, key=lambda one: (one.on, one.visit, one.number), default=None)


def judge(
    rule: ConsentVersions, site: str, today: date, entries: Sequence[Entered]
) -> Verdict:  # fmt: skip
    """Say whether the last consent is of the version in force at the site today."""
    current, given = rule.current(site, today), last(rule, entries)
    if current is None:
        none = T("A version of the consent form is in force at {site}.", site=site)
        return Verdict(met=False, text=none, visit=None)
    since = current.first_day(site)
    wanted = T("Consent is given under version {version} of the consent form, in force since "
               "{day}.", version=current.id, day=since)  # fmt: skip
    if given is None:
        return Verdict(met=False, text=wanted, visit=None)
    known = rule.known(given.version)
    if known is current:
        return Verdict(met=True, text=wanted, visit=given.visit)
    return Verdict(False, _wrong(rule, given, wanted), given.visit)


def _wrong(rule: ConsentVersions, given: Consent, wanted: Text) -> Text:
    known = rule.known(given.version)
    if known is None:
        return T("{wanted} The participant signed version “{typed}” on {on}, which the study "
                 "does not know.", wanted=wanted, typed=given.version, on=given.on)  # fmt: skip
    return T("{wanted} The participant signed version {old} on {on}; they must consent again.",
             wanted=wanted, old=known.id, on=given.on)  # fmt: skip
