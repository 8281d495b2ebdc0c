"""Mail: to whom the rights of the moment say, again after a failure, never twice as two."""

import socketserver
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update

from ecrf.kernel import accounts, addresses, mail, outbox
from ecrf.kernel.access import Grant, Right, Role
from ecrf.kernel.errors import NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER, SYSTEM
from ecrf.kernel.outbox import Outgoing
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from tests.people import ALMA, ANNA, BO, DORA, MAX, NOON, PAUL, SAM, STUDY

URL = "https://trial.example"


class Sink(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs; what it is handed stands in `server.taken`."""

    def handle(self):
        self._say("220 sink")
        while line := self.rfile.readline():
            verb = line.decode().strip().upper()
            if verb.startswith("EHLO"):
                self._say("250 sink")
            elif verb.startswith("DATA"):
                self._say("354 go on")
                self._data()
            elif verb.startswith("QUIT"):
                self._say("221 bye")
                return
            elif verb.startswith("RCPT") and self.server.refused in line.decode():
                self._say("451 not now")
            else:
                self._say("250 ok")

    def _data(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.taken.append(b"".join(lines))
        self._say("250 taken")

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def sink():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.daemon_threads, server.taken, server.refused = True, [], "nobody at all"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=5)


def post(server):
    host, port = server.server_address
    return mail.Post(mail.server(f"smtp://{host}:{port}?from=trial@trial.example"), URL)


@pytest.fixture
def addressed(database, by):
    with database.write() as session:
        for actor in (ANNA, BO, DORA, MAX, PAUL, SAM):
            name = actor.name.split()[0].lower()
            addresses.set_email(session, by(ALMA), actor.id, f"{name}@trial.example", "asked")
    return database


def leave(database, by, right=Right.BREAK_READ, site="PUMCH"):
    with database.write() as session:
        text = T("A safety alert was raised at site {site}. Please look at it.", site=site)
        outbox.put(session, by(ANNA), STUDY, site, right, "code break", text, f"/{STUDY}/")


def heads(taken, name):
    prefix = f"{name}: ".encode()
    return sorted(
        line.removeprefix(prefix).decode()
        for one in taken for line in one.splitlines() if line.startswith(prefix)
    )  # fmt: skip


@pytest.mark.req("BL-11")
def test_whoever_holds_the_right_at_the_site_is_written_to_and_nobody_else(addressed, by):
    leave(addressed, by)
    with sink() as server:
        assert mail.deliver(addressed, post(server), NOON) == 1
        assert mail.deliver(addressed, post(server), NOON + timedelta(days=1)) == 0
    wanted = ["anna@trial.example", "dora@trial.example", "max@trial.example"]
    assert heads(server.taken, "To") == wanted
    assert all(b"https://trial.example/nct05974683/" in one for one in server.taken)


@pytest.mark.req("BL-11")
def test_a_message_for_unblinded_people_reaches_no_blinded_one(addressed, by):
    leave(addressed, by, Right.BREAK_RECEIVE)
    with sink() as server:
        mail.deliver(addressed, post(server), NOON)
    assert heads(server.taken, "To") == ["sam@trial.example"]


def test_rights_are_those_of_the_moment_of_sending(addressed, by):
    leave(addressed, by)
    with addressed.write() as session:
        accounts.end(session, by(ALMA), DORA.id, Grant(STUDY, Role.DATA_MANAGER), "left")
        session.execute(update(Person).where(Person.id == MAX.id).values(active=False))
    with sink() as server:
        mail.deliver(addressed, post(server), NOON + timedelta(minutes=1))
    assert heads(server.taken, "To") == ["anna@trial.example"]


def test_a_server_that_is_away_is_tried_again_later_and_later(addressed, by):
    leave(addressed, by)
    with sink() as server:
        away = post(server)
    waits = []
    at = NOON
    for _ in range(5):
        assert mail.deliver(addressed, away, at) == 0
        with addressed.read() as session:
            row = session.execute(select(Outgoing.sent_at, Outgoing.not_before)).one()
        assert row.sent_at is None
        waits.append(row.not_before - at)
        assert mail.deliver(addressed, away, row.not_before - timedelta(seconds=1)) == 0
        at = row.not_before
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] <= mail.LONGEST_WAIT
    with sink() as server:
        assert mail.deliver(addressed, post(server), at) == 1
        assert len(server.taken) == 3


def test_who_was_written_to_is_not_written_to_again_when_another_address_fails(addressed, by):
    leave(addressed, by)
    with sink() as server:
        server.refused = "dora@"
        assert mail.deliver(addressed, post(server), NOON) == 0
        first = heads(server.taken, "To")
        server.refused = "nobody at all"
        assert mail.deliver(addressed, post(server), NOON + timedelta(hours=1)) == 1
    assert first == ["anna@trial.example"]
    assert heads(server.taken, "To") == [
        "anna@trial.example", "dora@trial.example", "max@trial.example",
    ]  # fmt: skip


def test_a_copy_sent_twice_carries_the_same_id(addressed, by, monkeypatch):
    """What was handed in but not noted before a crash is handed in again, as the same mail."""
    leave(addressed, by)
    with sink() as server:
        with monkeypatch.context() as broken:
            broken.setattr(mail, "insert", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                mail.deliver(addressed, post(server), NOON)
        mail.deliver(addressed, post(server), NOON + timedelta(hours=1))
    ids = heads(server.taken, "Message-ID")
    assert len(ids) == 4
    assert len(set(ids)) == 3
    assert server.taken[0] in server.taken[1:]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://mail.example", ("mail.example", 25, "", "", "", "ecrf@mail.example")),
        ("smtp://u%40x:p%3Aq@h:2525?starttls=1&from=a@b.example",
         ("h", 2525, "u@x", "p:q", "starttls", "a@b.example")),
        ("smtps://h", ("h", 465, "", "", "tls", "ecrf@h")),
    ],
)  # fmt: skip
def test_the_address_of_the_server_is_read(url, wanted):
    assert mail.server(url) == wanted


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_another_address_is_refused(url):
    with pytest.raises(ValueError, match="ECRF_SMTP_URL"):
        mail.server(url)


def test_an_address_is_set_on_the_books_and_a_wrong_one_refused(database, by):
    with database.write() as session:
        addresses.set_email(session, by(ALMA), ANNA.id, " anna@trial.example ", "asked")
    with database.read() as session:
        assert session.get(Person, ANNA.id).email == "anna@trial.example"
        (*_, last) = LEDGER.acts(session, chain_name=SYSTEM)
    assert '"person:email"' in last[3]
    for wrong in ("anna", "a b@c.example", "a@b.example\nBcc: x@y.example"):
        with database.write() as session, pytest.raises(Unacceptable):
            addresses.set_email(session, by(ALMA), ANNA.id, wrong, "asked")
    with database.write() as session, pytest.raises(NotFound):
        addresses.set_email(session, by(ALMA), 4040, "", "asked")
