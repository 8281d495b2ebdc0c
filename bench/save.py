"""Saving the vital signs of the main trial: looking up, deciding, writing, one act, one commit.

    python -m bench.save

`form save` is the service against a bare commit; `page save` is the page, with session, token,
rights and form parsing, against a bare page that does nothing but one commit. Each call changes
the form of one of sixteen participants that nobody else is changing.
"""

from datetime import timedelta
from queue import SimpleQueue

from flask import Flask, redirect

from bench import measure
from ecrf.kernel import accounts, chance
from ecrf.kernel.access import Right
from ecrf.kernel.config import Config
from ecrf.kernel.ledger import By, Origin
from ecrf.study import shipped, versions
from ecrf.web import blinded
from ecrf.web.routes import COOKIE
from ecrf.web.services import Services
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

    def __init__(self, database, folder):
        self.database = database
        self.free = SimpleQueue()
        for code in begin(database):
            self.free.put((code, 0))
        config = Config.from_env({"ECRF_DATA_DIR": str(folder)})
        services = Services(config, database, lambda: people.NOON, chance.system)
        self.app = blinded.create(services)
        with database.write() as session:
            token, self.csrf = accounts.sign_in(
                session, _by(people.CARL, people.NOON), people.CARL.id
            )
        self.headers = {"Cookie": f"{COOKIE}={token}"}

    def save(self, n):
        """Save through the service."""
        code, version = self.free.get()
        by = _by(people.CARL, people.NOON + timedelta(seconds=n))
        given = {item: Given(text) for item, text in answers(n).items()}
        with self.database.write() as session:
            found = found_entries.entry(
                session, people.CARL, people.STUDY, code, VISIT, FORM, 1,
                Right.ENTRY_WRITE, lock=True,
            )  # fmt: skip
            done = entries.save(
                session, by, found, given, seen_version=version, reason="measured again",
                complete=True,
            )  # fmt: skip
        self.free.put((code, done.version))

    def post(self, n):
        """Save by sending the page's form."""
        code, version = self.free.get()
        sent = {"csrf": self.csrf, "seen_version": version, "act": "complete"}
        answer = self.app.test_client(use_cookies=False).post(
            f"/{people.STUDY}/participants/{code}/visits/{VISIT}/{FORM}/1",
            data={**answers(n), **sent, "reason": "measured again"}, headers=self.headers,
        )  # fmt: skip
        if answer.status_code != 303:
            raise SystemExit(f"the page answered {answer.status}")
        self.free.put((code, version + 1))


def answers(n):
    return {**ANSWERS, "sbp": str(100 + n % 61), "pulse": str(60 + n // 61 % 50)}


def bare_page(database):
    """Return the bare act over HTTP: a page that stores one row and leads on."""
    app = Flask("bare")
    commit = measure.commit(database)

    @app.post("/")
    def bare():
        commit(0)
        return redirect("/", 303)

    return lambda _n: app.test_client(use_cookies=False).post("/", data=answers(0))


def main():
    measure.heading()
    for kind in measure.KINDS:
        with measure.fresh(kind, "main") as (database, folder):
            desk = Desk(database, folder)
            measure.compare("form save", kind, desk.save, measure.commit(database))
            measure.compare("page save", kind, desk.post, bare_page(database))


if __name__ == "__main__":
    main()
