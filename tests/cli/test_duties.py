"""What is done every minute: each duty by itself, and one that fails stops no other."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from ecrf.cli import duties
from ecrf.cli.installation import Installation
from ecrf.kernel import mail
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.text import T
from tests.cli.test_randomization import place  # noqa: F401
from tests.people import NOON

DONE = ("_send", "_sweep", "_break")


@pytest.fixture
def rounds(place):  # noqa: F811
    """The rounds of one worker."""
    here = Installation(place, Database(place.database_url), Database(place.vault_database_url))
    yield duties.Rounds(here)
    here.database.dispose()
    here.vault.dispose()


@pytest.fixture
def called(monkeypatch):
    """Every duty only says that it was done; give what was said."""
    said = []
    for name in DONE:
        monkeypatch.setattr(duties.Rounds, name, _saying(said, name))
    return said


def _saying(said, name):
    def duty(_rounds, by):
        said.append((name, by.at))

    duty.__name__ = name
    return duty


def test_duties_are_done_at_once_and_then_once_a_minute(rounds, called):
    for seconds in (0, 30, 59, 60, 61):
        rounds.go(NOON + timedelta(seconds=seconds))
    assert called == [(name, NOON + timedelta(seconds=s)) for s in (0, 60) for name in DONE]


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (Unavailable(T("The vault is down.")), logging.INFO),
        (OperationalError("select", {}, OSError("gone")), logging.ERROR),
        (ConnectionRefusedError("nobody listens"), logging.ERROR),
    ],
)
def test_a_duty_that_fails_is_logged_stops_no_other_and_is_tried_again(
    rounds, called, monkeypatch, caplog, failure, level
):
    def fail(_rounds, _by):
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(duties.Rounds, "_sweep", fail)
        with caplog.at_level(logging.INFO, "ecrf.worker"):
            rounds.go(NOON)
    assert [name for name, _ in called] == ["_send", "_break"]
    assert [record.levelno for record in caplog.records] == [level]
    rounds.go(NOON + duties.EVERY)
    assert [name for name, _ in called][2:] == list(DONE)


def test_a_mistake_of_the_program_is_not_passed_over(rounds, called, monkeypatch):
    def wrong(_rounds, _by):
        raise ZeroDivisionError

    monkeypatch.setattr(duties.Rounds, "_send", wrong)
    with pytest.raises(ZeroDivisionError):
        rounds.go(NOON)


def test_without_a_mail_server_nothing_is_sent_and_the_rest_is_done(rounds, monkeypatch):
    monkeypatch.setattr(mail, "deliver", lambda *_: pytest.fail("nobody named a server"))
    rounds.go(NOON)
    assert rounds.last == NOON
