"""Saving the vital signs of the main trial: looking up, deciding, writing, one act, one commit.

    python -m bench.save

Sixteen participants; each call changes the form of one that nobody else is changing.
"""

from datetime import timedelta
from queue import SimpleQueue

from bench import measure
from ecrf.kernel import accounts, chance
from ecrf.kernel.access import Right
from ecrf.kernel.ledger import By, Origin
from ecrf.study import shipped, versions
from forms import entries
from forms import lookup as found_entries
from forms.answers import Given
from tests import people
from visits import lookup as found_visits
from visits import participants, visits

PARTICIPANTS = max(measure.WRITERS)
FORM, VISIT = "vs", "SCR"
ANSWERS = {"vsdat": "2026-03-02", "dbp": "80", "temp": "36.6", "resp": "16"}


def begin(database):
    """Put the trial in force and enrol the participants; return their codes."""
    study = shipped.load(people.STUDY)
    with database.write() as session:
        accounts.set_up(session, _by(people.ALMA, people.START))
    people.introduce(database)
    for actor in (people.DORA, people.DIRK):
        with database.write() as session:
            approval = versions.approve(session, _by(actor, people.START), study)
    return [_enrol(database, study, approval.fingerprint) for _ in range(PARTICIPANTS)]


def _enrol(database, study, fingerprint):
    by = _by(people.ANNA, people.NOON)
    with database.write() as session:
        code = participants.enrol(session, by, study, fingerprint, "PUMCH").code
    with database.write() as session:
        found = found_visits.visit(
            session, people.ANNA, study.id, code, VISIT, Right.ENTRY_WRITE
        )
        visits.hold(session, by, found, people.NOON.date())
    return code


def _by(actor, at):
    return By(actor, at, Origin.PAGE, chance.system)


class Desk:
    """Saves the form of whichever participant is free, with values that differ each time."""

    def __init__(self, database):
        self.database = database
        self.free = SimpleQueue()
        for code in begin(database):
            self.free.put(code)

    def save(self, n):
        code = self.free.get()
        given = {**ANSWERS, "sbp": str(100 + n % 61), "pulse": str(60 + n // 61 % 50)}
        with self.database.write() as session:
            found = found_entries.entry(
                session, people.CARL, people.STUDY, code, VISIT, FORM, 1,
                Right.ENTRY_WRITE, lock=True,
            )  # fmt: skip
            entries.save(
                session, _by(people.CARL, people.NOON + timedelta(seconds=n)), found,
                {item: Given(text) for item, text in given.items()},
                seen_version=found.version, reason="measured again", complete=True,
            )  # fmt: skip
        self.free.put(code)


def main():
    measure.heading()
    for kind in measure.KINDS:
        with measure.fresh(kind, "main") as (database, _folder):
            measure.compare("form save", kind, database, Desk(database).save)


if __name__ == "__main__":
    main()
