"""Signing with a PIN, where the study allows it, over HTTP."""

import pytest
from sqlalchemy import func, select

from ecrf.kernel.people import Person, Pin
from ecrf.kernel.signatures import Signature
from ecrf.study import canonical
from ecrf.study.signing import Signing
from tests import people
from tests.forms import trial
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
PAGE = f"/{STUDY_ID}/pin"
SIGN = f"/{STUDY_ID}/participants/PUMCH-001/visits/{{visit}}/vs/1/sign"
BOTH = {"username": "anna", "password": people.PASSWORD}
NEW = {"pin": "271828", "pin_again": "271828", "password": people.PASSWORD}


@pytest.fixture
def allowed(monkeypatch):
    """The small trial allows a PIN."""
    study = trial.TRIAL.model_copy(update={"signing": Signing(pin=True)})
    monkeypatch.setattr(trial, "TRIAL", study)
    monkeypatch.setattr(trial, "FINGERPRINT", canonical.fingerprint(study))


def filled(database, draw, by):
    desk = Desk(trial.begin(database, draw), by)
    for visit in ("SCR", "BL"):
        desk.save({"sbp": "120", "dbp": "80"}, visit=visit, complete=True)
    return desk


def sign(person, visit, **means):
    return person.post(SIGN.format(visit=visit), {"seen_version": "1", **means})


def signatures(database):
    with database.read() as session:
        return session.scalar(select(func.count(Signature.id)))


@pytest.mark.req("L6")
def test_a_pin_signs_after_the_first_signature_and_three_wrong_ones_end_it(
    allowed, database, draw, by, visitor
):
    """L6: a PIN instead of the password, set after the password, from the second signature."""
    desk = filled(database, draw, by)
    anna = visitor(people.ANNA)
    entry = SIGN.format(visit="SCR").removesuffix("/1/sign")
    assert f'href="{PAGE}"' in anna.get(entry).text
    for wrong, said in (
        ({**NEW, "password": "wrong"}, "The password is not right."),
        ({**NEW, "pin": "27182", "pin_again": "27182"}, "A PIN has 6 to 12 digits."),
        ({**NEW, "pin": "123456"}, "simply count up"),
        ({**NEW, "pin_again": "271829"}, "not the same"),
    ):
        assert said in anna.post(PAGE, wrong).text
    assert anna.post(PAGE, NEW).status_code == 303
    with database.read() as session:
        stored = session.scalar(select(Pin.hash).where(Pin.person_id == people.ANNA.id))
        assert stored.startswith("$argon2id$")
    first = sign(anna, "SCR", pin="271828")
    assert (first.status_code, "is made with user name and password" in first.text) == (
        422, True,
    )  # fmt: skip
    assert sign(anna, "SCR", **BOTH).status_code == 303
    assert 'name="pin"' in anna.get(entry.replace("SCR", "BL")).text
    before = signatures(database)
    for _ in range(3):
        refused = sign(anna, "BL", pin="314159")
        assert (refused.status_code, "The PIN is not right." in refused.text) == (403, True)
    ended = sign(anna, "BL", pin="271828")
    assert "in this session give your password" in ended.text
    assert 'name="pin"' not in ended.text
    assert signatures(database) == before
    with database.read() as session:
        # One wrong password and three wrong PINs: they count alike.
        assert session.get(Person, people.ANNA.id).failures == 4
    again = visitor(people.ANNA)
    desk.save({"dbp": "81"}, visit="SCR", reason="Read again")
    answer = again.post(SIGN.format(visit="SCR"), {"seen_version": "2", **BOTH})
    assert answer.status_code == 303
    assert sign(again, "BL", pin="271828").status_code == 303
    assert signatures(database) == before + 2


@pytest.mark.req("L6")
def test_a_study_that_does_not_say_so_has_no_pin(database, draw, by, visitor):
    """L6: the study allows it or not; and a PIN opens nothing but a signature."""
    filled(database, draw, by)
    anna = visitor(people.ANNA)
    assert anna.get(PAGE).status_code == 404
    assert anna.post(PAGE, NEW).status_code == 404
    assert sign(anna, "SCR", **BOTH).status_code == 303
    assert sign(anna, "BL", pin="271828").status_code == 403
    assert visitor(people.CARL).get(PAGE).status_code == 403
