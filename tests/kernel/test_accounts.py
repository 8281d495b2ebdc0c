from datetime import timedelta

import pytest
from sqlalchemy import select

from ecrf.kernel import accounts
from ecrf.kernel.access import Grant, Right, Role
from ecrf.kernel.errors import Conflict, NotFound, TooMany, Unacceptable
from ecrf.kernel.ledger import LEDGER, SYSTEM
from ecrf.kernel.people import Person, SignIn
from tests import people as cast

PASSWORD = "correct horse battery"
GRANT = Grant(cast.STUDY, Role.MONITOR)


@pytest.fixture
def nora(database, by):
    """A person with an account and no role."""
    with database.write() as session:
        return accounts.add(session, by(cast.ALMA), "nora", "Nora Newcomer", PASSWORD)


def test_a_password_is_kept_as_argon2id_and_found_again(database, by, nora):
    with database.write() as session:
        stored = session.scalar(select(Person.password).where(Person.id == nora))
        assert stored.startswith("$argon2id$")
        assert accounts.check(session, "NORA", PASSWORD, cast.NOON) == nora


def test_a_user_name_is_never_given_twice_whatever_its_case(database, by, nora):
    with database.write() as session, pytest.raises(Conflict, match="Nora"):
        accounts.add(session, by(cast.ALMA), "Nora", "Another", PASSWORD)


@pytest.mark.parametrize("bad", ["short", "x" * 129, "nora-nora-nora", "aaaaaaaaaaaaaaa"])
def test_a_poor_password_is_refused_with_the_rule(database, by, bad):
    with database.write() as session, pytest.raises(Unacceptable) as no:
        accounts.add(session, by(cast.ALMA), "nora", "Nora", bad)
    assert no.value.problems[0].item == "password"


@pytest.mark.req("IA-05")
def test_nobody_gets_a_role_on_the_other_side_of_the_blind_even_later(database, by, nora):
    alma = by(cast.ALMA)
    with database.write() as session:
        accounts.give(session, alma, nora, GRANT, "monitors the site")
    with database.write() as session:
        accounts.end(session, by(cast.ALMA, cast.NOON + timedelta(days=1)), nora, GRANT, "left")
    with database.write() as session, pytest.raises(Conflict, match="other side of the blind"):
        accounts.give(session, alma, nora, Grant(cast.STUDY, Role.PHARMACIST), "pharmacy")


@pytest.mark.req("IA-09")
def test_an_ended_role_stops_working_at_once(database, by, nora):
    with database.write() as session:
        accounts.give(session, by(cast.ALMA), nora, GRANT, "monitors the site")
        token, _ = accounts.sign_in(session, by(cast.ALMA), nora)
        who = accounts.present(session, token, cast.NOON)
        assert who.actor.may(Right.ENTRY_READ, cast.STUDY)
        accounts.end(session, by(cast.ALMA), nora, GRANT, "left")
        who = accounts.present(session, token, cast.NOON)
        assert not who.actor.may(Right.ENTRY_READ, cast.STUDY)


def test_ending_a_role_nobody_holds_is_refused(database, by, nora):
    with database.write() as session, pytest.raises(NotFound):
        accounts.end(session, by(cast.ALMA), nora, GRANT, "left")


@pytest.mark.req("IA-16")
def test_after_five_wrong_passwords_the_account_waits_and_says_how_long(database, by, nora):
    for _ in range(5):
        with database.write() as session:
            accounts.note_failure(session, by(cast.ALMA), nora, "nora")
    with database.write() as session:
        with pytest.raises(TooMany, match="min"):
            accounts.check(session, "nora", PASSWORD, cast.NOON)
        later = cast.NOON + timedelta(minutes=2)
        assert accounts.check(session, "nora", PASSWORD, later) == nora


@pytest.mark.req("IA-17")
def test_a_session_ends_after_fifteen_idle_minutes_and_after_twelve_hours(database, by, nora):
    with database.write() as session:
        token, _ = accounts.sign_in(session, by(cast.ALMA), nora)
        at = cast.NOON + timedelta(minutes=14, seconds=59)
        assert accounts.present(session, token, at)
        assert not accounts.present(session, token, cast.NOON + timedelta(minutes=15))
        for hours in range(1, 12):
            who = accounts.Present(cast.ALMA, "en", "", accounts._hash(token), cast.NOON)
            accounts.touch(session, who, cast.NOON + timedelta(hours=hours))
        accounts.touch(session, who, cast.NOON + timedelta(hours=12))
        assert not accounts.present(session, token, cast.NOON + timedelta(hours=12, minutes=1))


@pytest.mark.req("IA-18")
def test_a_token_is_useless_after_signing_out_and_never_stored(database, by, nora):
    with database.write() as session:
        token, _ = accounts.sign_in(session, by(cast.ALMA), nora)
        who = accounts.present(session, token, cast.NOON)
        assert token not in session.scalars(select(SignIn.token_hash)).all()
        accounts.sign_out(session, by(cast.ALMA), who.token_hash)
        assert accounts.present(session, token, cast.NOON) is None


def test_finding_out_who_asks_is_one_statement(database, by, nora, statements):
    with database.write() as session:
        accounts.give(session, by(cast.ALMA), nora, GRANT, "monitors the site")
        token, _ = accounts.sign_in(session, by(cast.ALMA), nora)
    with statements(database) as sent, database.read() as session:
        accounts.present(session, token, cast.NOON)
    assert len(sent) == 1


@pytest.mark.req("IA-07")
def test_every_act_on_an_account_is_on_the_systems_chain(database, by, nora):
    with database.write() as session:
        accounts.give(session, by(cast.ALMA), nora, GRANT, "monitors the site")
        accounts.sign_in(session, by(cast.ALMA), nora)
    with database.read() as session:
        headers = " ".join(row[3] for row in LEDGER.acts(session, chain_name=SYSTEM))
    for action in ("person:add", "grant:give", "sign-in"):
        assert f'"action":"{action}"' in headers
