"""When votes agree, and what they then say. Pure.

A vote is read from the answers of the vote form by the names the study gives. Without
agreement the case goes to the chair; where a vote says that the dossier does not tell, it
waits for information instead.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ecrf.study.adjudication import Agreement
from forms.adjudicating.states import State
from forms.answers import Answer


class Verdict(NamedTuple):
    """What a vote, or all of them, say: `event` None when the dossier does not tell."""

    event: bool | None
    organs: frozenset[str] = frozenset()
    on: date | None = None


class Outcome(NamedTuple):
    """What becomes of a case once everybody has voted."""

    state: State
    verdict: Verdict | None = None


def read(rule: Agreement, answers: Mapping[str, Answer], site_date: date | None) -> Verdict:
    """Return what a vote says; with the site's date agreed to, that is the date."""

    def said(key: str | None) -> str:
        answer = answers.get(key or "")
        return answer.value if answer else ""

    verdict = said(rule.verdict)
    if verdict != rule.yes:
        return Verdict(False if verdict == rule.no else None)
    organs = frozenset(filter(None, said(rule.organs).split(",")))
    typed = said(rule.date)
    on = date.fromisoformat(typed) if typed else None
    return Verdict(True, organs, site_date if said(rule.date_agreed) == "Y" else on)


def compare(rule: Agreement, votes: Sequence[Verdict]) -> Outcome:
    """Return what all votes together come to."""
    if any(vote.event is None for vote in votes):
        return Outcome(State.INFORMATION)
    if not any(vote.event for vote in votes):
        return Outcome(State.AGREED, Verdict(False))
    if not all(vote.event for vote in votes):
        return Outcome(State.DISCORDANT)
    shared = frozenset.intersection(*(vote.organs for vote in votes))
    dates = [vote.on for vote in votes if vote.on is not None]
    close = len(dates) == len(votes) and (max(dates) - min(dates)).days <= rule.within_days
    if len(shared) < rule.overlap or not close:
        return Outcome(State.DISCORDANT)
    return Outcome(State.AGREED, Verdict(True, shared, min(dates)))
