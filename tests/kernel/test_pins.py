"""PINs for signing again: kept as a hash, theirs alone, ended by three wrong ones."""

import json

import pytest
from sqlalchemy import select

from ecrf.kernel import accounts, pins, reauthentication
from ecrf.kernel.accounts import WrongPassword
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.people import Pin
from ecrf.kernel.pins import WrongPin
from tests import people

PIN = "271828"


@pytest.mark.req("L6")
def test_a_pin_is_set_checked_counted_and_taken_away(database, by):
    """L6: it stands for the password in signing and nowhere else."""
    anna = by(people.ANNA)
    with database.write() as session:
        token, _ = accounts.sign_in(session, anna, people.ANNA.id)
        present = accounts.present(session, token, people.NOON)
        pins.set_(session, anna, people.PASSWORD, PIN, PIN)
        pins.set_(session, anna, people.PASSWORD, "1" + PIN, "1" + PIN)
        pins.set_(session, anna, people.PASSWORD, PIN, PIN)
        assert PIN not in session.scalar(select(Pin.hash))
        pins.check(session, anna, present, f" {PIN} ")
        with pytest.raises(WrongPassword):
            accounts.confirm(session, anna, PIN)
        told = [json.loads(act[3])["action"] for act in LEDGER.acts(session, key="person:1")]
        assert told[-3:] == ["pin:set"] * 3
    for _ in range(pins.TRIES):
        with database.write() as session:
            with pytest.raises(WrongPin) as wrong:
                pins.check(session, anna, present, "314159")
            pins.note_failure(session, wrong.value)
    with database.write() as session:
        assert pins.standing(session, present) == (True, False)
        assert reauthentication.means(session, present, pin=True) == (True, False, False)
        with pytest.raises(NotAllowed, match="3 times"):
            pins.check(session, anna, present, PIN)
        pins.drop(session, anna, people.PASSWORD)
        assert pins.standing(session, present) == (False, False)
        assert reauthentication.means(session, present, pin=True).settable


@pytest.mark.parametrize(
    "pin",
    ["", "12345", "1234567890123", "123456", "987654", "111222", "12 345", "１２３４５９"],
)
def test_a_pin_that_is_guessed_at_once_is_no_pin(pin):
    with pytest.raises(Exception, match="PIN"):
        pins.require_good(pin, pin)
