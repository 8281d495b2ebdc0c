"""Short words for what the tests of visits do again and again."""

import json
from datetime import UTC, date, datetime

from sqlalchemy import update

from ecrf.kernel.access import Right
from ecrf.kernel.ledger import LEDGER, participant_chain
from tests import people
from tests.visits.begun import FINGERPRINT
from tests.visits.trial import STUDY_ID, TRIAL
from visits import lookup, participants, visits
from visits.tables import Participant


def noon(day):
    """Return noon in Beijing on that day of a date."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def enrol(database, by, actor=people.CARL, site="PUMCH", at=people.NOON):
    with database.write() as session:
        return participants.enrol(session, by(actor, at=at), TRIAL, FINGERPRINT, site)


def hold(database, by, code, key, on, *, reason="", at=people.NOON, actor=people.CARL):
    with database.write() as session:
        found = lookup.visit(session, actor, STUDY_ID, code, key, Right.ENTRY_WRITE)
        visits.hold(session, by(actor, at=at), found, on, reason=reason)


def act(database, by, service, code, key, reason, actor=people.CARL):
    """Do `service` (miss or reopen) to a visit."""
    with database.write() as session:
        found = lookup.visit(session, actor, STUDY_ID, code, key, Right.ENTRY_WRITE)
        service(session, by(actor), found, reason)


def randomize(database, by, code, on):
    """Do to the visits what a randomization does; return the changes for its act."""
    with database.write() as session:
        who = lookup.participant(session, people.DORA, STUDY_ID, code, Right.PARTICIPANT_READ)
        session.execute(
            update(Participant)
            .where(Participant.id == who.id)
            .values(status="randomized", randomized_on=on)
        )
        return visits.place(session, by(people.ANNA), who, TRIAL, on)


def visit(database, code, key):
    with database.read() as session:
        return lookup.visit(
            session, people.DORA, STUDY_ID, code, key, Right.PARTICIPANT_READ
        ).visit


def deviations(database, code):
    with database.read() as session:
        who = lookup.participant(session, people.DORA, STUDY_ID, code, Right.PARTICIPANT_READ)
        return [deviation.text_en for deviation in lookup.deviations(session, who.id)]


def ledger(database, code):
    """Return (action, {item: (old, new)}, role) of every act on the participant's chain."""
    with database.read() as session:
        acts = list(LEDGER.acts(session, chain_name=participant_chain(STUDY_ID, code)))
    told = []
    for _, _, _, header, changes, _ in acts:
        facts = json.loads(header)
        items = {c["item"]: (c["old"], c["new"]) for c in json.loads(changes)}
        told.append((facts["action"], items, facts["role"]))
    return told


def day(text):
    return date.fromisoformat(text)
