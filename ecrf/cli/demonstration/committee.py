"""What the committee does with the events: one case in every state worth seeing.

In a small copy events are added until there are enough. Whoever votes does so through the
services, as the pages do.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta

from sqlalchemy import select

from ecrf.cli.demonstration import visiting
from ecrf.cli.demonstration.dispensary import Dispensary
from ecrf.cli.demonstration.filling import always
from ecrf.cli.demonstration.scenes import Player
from ecrf.cli.demonstration.stage import Stage
from ecrf.cli.demonstration.story import Contact, Story
from ecrf.kernel.access import Actor, Role
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By
from forms.adjudicating import asking, assembling, cases, seats, voting
from forms.answers import Given
from visits.tables import Participant

YES, NO, UNCLEAR = "vote yes", "vote no", "vote unclear"
FATES: tuple[tuple[str, ...], ...] = (
    ("assemble", "complete", "assign", YES, YES),
    ("assemble", "complete", "assign", YES, NO, "chair", YES),
    ("assemble", "complete", "assign", YES),
    ("assemble", "complete", "assign", YES, UNCLEAR, "ask"),
    ("assemble", "complete", "assign", YES, NO),
    ("assemble",),
    (),
    ("assemble", "complete", "assign"),
    ("assemble", "complete", "assign", YES, NO, "chair"),
)
"""What has happened to the first cases, step by step; to all later ones, the first of these."""


def report(stage: Stage, dispensary: Dispensary, today: date) -> None:
    """Let randomized participants have as many more events as there are fates to see."""
    rule, happening = stage.study.adjudication, stage.profile.happening
    if rule is None or happening is None:
        return
    with stage.database.read() as session:
        manager = stage.who(Role.DATA_MANAGER, None)
        there = len(cases.listing(session, manager, stage.study.id))
        people = session.execute(
            select(Participant.code, Participant.site, Participant.randomized_on)
            .where(Participant.study == stage.study.id, Participant.status == "randomized")
            .order_by(Participant.id)
        ).all()
    on = today - timedelta(days=2)
    for extra in range(max(0, len(FATES) - there) if people else 0):
        who = people[extra % len(people)]
        told = Story(who.site, who.randomized_on, False, who.randomized_on, ())
        player = Player(stage, dispensary, 0, told, code=who.code, randomized=True)
        player.contact(Contact(happening.visit, on, unplanned=True))


def play(stage: Stage, today: date) -> None:
    """Take each case as far as its fate goes."""
    if stage.study.adjudication is None:
        return
    on = today - timedelta(days=1)
    with stage.database.read() as session:
        manager = stage.who(Role.DATA_MANAGER, None)
        listed = cases.listing(session, manager, stage.study.id)
        numbers = [(found.case.number, found.participant.site) for found in listed]
    for place, (number, site) in enumerate(numbers):
        steps = FATES[place] if place < len(FATES) else FATES[0]
        at = stage.at(site, on, 16) + timedelta(minutes=place)
        _take(stage, number, steps, at)


def _take(stage: Stage, number: int, steps: tuple[str, ...], at: datetime) -> None:
    voters = list(_members(stage, Role.ADJUDICATOR))
    for second, step in enumerate(steps):
        manager = stage.by(stage.who(Role.DATA_MANAGER, None), at + timedelta(seconds=second))
        if step in (YES, NO, UNCLEAR):
            voter = voters.pop(0) if voters else stage.who(Role.CHAIR, None)
            _vote(stage, stage.by(voter, manager.at), number, step)
        else:
            _manage(stage, manager, number, step)


def _members(stage: Stage, role: Role) -> list[Actor]:
    found = {actor.id: actor for (held, _), actor in stage.cast.items() if held is role}
    rule = stage.study.adjudication
    return [found[key] for key in sorted(found)][: rule.reviewers if rule else 0]


def _manage(stage: Stage, by: By, number: int, step: str) -> None:
    study = stage.study.id
    with stage.database.write() as session:
        if step == "ask":
            seen = cases.find(session, by.actor, study, number)
            for question in asking.questions(session, seen):
                asking.ask(session, by, study, number, question.vote, question.text)
            return
        found = cases.find(session, by.actor, study, number, lock=True)
        match step:
            case "assemble":
                assembling.assemble(session, by, found)
            case "complete":
                assembling.complete(session, by, found, {})
            case "assign":
                people = [actor.id for actor in _members(stage, Role.ADJUDICATOR)]
                seats.assign(session, by, found, people)
            case "chair":
                chair = stage.who(Role.CHAIR, None)
                seats.give_to_chair(session, by, found, chair.id)


def _vote(stage: Stage, by: By, number: int, variant: str) -> None:
    with stage.database.write() as session:
        seat = voting.find(session, by.actor, stage.study.id, number, lock=True)
        given = _filled(stage, seat, by.at.date(), variant)
        seat = voting.save(session, by, seat, given, seen_version=seat.vote.version)
        with suppress(Refused):
            voting.sign(session, by, seat, zone="Asia/Shanghai")


def _filled(stage: Stage, seat: voting.Seat, on: date, variant: str) -> Mapping[str, Given]:
    form = seat.found.vote_form
    sources = visiting.sources_of(stage, form.id, (variant,))
    given = stage.filler.fill(form, on, sources, always)
    seen = voting.planned(seat, given)
    surplus = {finding.item for finding in seen.findings if finding.rule == "inapplicable"}
    return {key: answer for key, answer in given.items() if key not in surplus}
