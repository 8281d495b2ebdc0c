"""The page of forced allocation, over HTTP: what the site asked, two people, one exception."""

# ruff: noqa: F811 (fixtures)

import pytest
from sqlalchemy import select, update

from forms.tables import Entry
from randomization.tables import Allocation, Kit
from tests.people import ANNA, DORA, PASSWORD, PAUL, SAM, STAN, STUDY
from tests.web.randomizing import (  # noqa: F401
    CODE,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    stored,
    trial,
    unblinded,
    vault_app,
)
from visits.tables import Deviation, KitGiven

FORCED = f"/vault/{STUDY}/forced"
WHY = "The courier is late"


@pytest.fixture
def second(trial):
    """A second statistician, who may sign in."""
    from sqlalchemy import insert

    from ecrf.kernel.access import Actor, Grant, Role
    from ecrf.kernel.people import GrantRow, Person
    from tests.people import START

    with trial.write() as session:
        password = session.scalar(select(Person.password).where(Person.id == STAN.id))
        session.execute(
            insert(Person).values(id=90, username="tom", name="Tom Gu", password=password,
                                  locale="en", created_at=START)
        )  # fmt: skip
        session.execute(
            insert(GrantRow).values(person_id=90, study=STUDY, role=Role.STATISTICIAN,
                                    starts_at=START)
        )  # fmt: skip
    return Actor(90, "Tom Gu", frozenset({Grant(STUDY, Role.STATISTICIAN)}))


@pytest.fixture
def refused(trial, visitor, opened):
    """The participant, whom the vault could not randomize for want of kits."""
    with opened.database.write() as session:
        session.execute(update(Kit).values(state="quarantined"))
    assert confirm(visitor(ANNA)).status_code == 503


def propose(visitor, **other):
    sent = {"act": "propose", "code": CODE, "supply": "1", "reason": WHY, **other}
    return visitor.post(FORCED, sent)


def agree(visitor, **other):
    sent = {"act": "confirm", "number": "1", "reason": "Agreed", "password": PASSWORD, **other}
    return visitor.post(FORCED, sent)


def test_one_proposes_another_confirms_and_the_site_sees_an_exception(
    trial, visitor, unblinded, opened, refused, second
):
    stan, tom = unblinded(STAN), unblinded(second)
    listed = stan.get(FORCED).get_data(as_text=True)
    assert CODE in listed and "This is not possible at the moment" in listed
    assert propose(stan).status_code == 303
    assert WHY in tom.get(FORCED).get_data(as_text=True)
    assert agree(stan).status_code == 409
    assert stored(trial).random_number is None
    assert agree(tom).status_code == 303
    row = stored(trial)
    assert row.status == "randomized"
    assert '"forced":true' in row.receipt
    with trial.read() as session:
        rules = session.scalars(select(Deviation.rule)).all()
        assert session.scalars(select(KitGiven.id)).all() == []
    assert "RANDOMIZED_UNDER_EXCEPTION" in rules
    text = visitor(ANNA).get(f"/{STUDY}/participants/{CODE}").get_data(as_text=True)
    assert "Randomized under an exception" in text
    assert WHY not in text
    assert "Tom Gu" in stan.get(FORCED).get_data(as_text=True)


def test_the_second_person_types_a_password_and_a_wrong_one_is_refused(
    trial, unblinded, opened, refused, second
):
    propose(unblinded(STAN))
    assert agree(unblinded(second), password="wrong").status_code == 403
    with opened.database.read() as session:
        assert session.scalars(select(Allocation.id)).all() == []


def test_what_the_site_has_to_see_to_cannot_be_set_aside(
    trial, unblinded, opened, refused, second
):
    propose(unblinded(STAN))
    with trial.write() as session:
        session.execute(update(Entry).where(Entry.form == "ie").values(version=2))
    assert agree(unblinded(second)).status_code == 409
    assert stored(trial).random_number is None
    with opened.database.read() as session:
        assert session.scalars(select(Allocation.id)).all() == []


def test_nobody_is_proposed_whom_no_site_asked_for(trial, unblinded, opened):
    assert propose(unblinded(STAN)).status_code == 404


def test_a_proposal_says_why(trial, unblinded, refused):
    page = propose(unblinded(STAN), reason=" ")
    assert page.status_code == 422
    assert "Say in 1 to 1000 characters why." in page.get_data(as_text=True)


def test_nothing_set_aside_is_no_proposal(trial, unblinded, refused):
    page = unblinded(STAN).post(FORCED, {"act": "propose", "code": CODE, "reason": WHY})
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert "Say which precondition is set aside." in text and f'value="{WHY}"' in text


def test_a_proposal_is_declined(trial, unblinded, refused, second):
    propose(unblinded(STAN))
    tom = unblinded(second)
    assert (
        tom.post(FORCED, {"act": "decline", "number": "1", "reason": "No"}).status_code == 303
    )
    assert "declined" in tom.get(FORCED).get_data(as_text=True)
    assert agree(tom).status_code == 409


@pytest.mark.parametrize("actor", [ANNA, DORA, PAUL, SAM])
def test_nobody_else_has_the_page(trial, unblinded, refused, actor):
    page = unblinded(actor)
    assert page.get(FORCED).status_code == 403
    assert propose(page).status_code == 403


def test_a_form_that_asks_for_nothing_known_is_refused(trial, unblinded, refused):
    assert unblinded(STAN).post(FORCED, {"act": "guess"}).status_code == 422


def test_the_pharmacist_gives_the_kits_later(trial, unblinded, opened, refused, second):
    propose(unblinded(STAN))
    agree(unblinded(second))
    with opened.database.write() as session:
        session.execute(update(Kit).values(state="available"))
    page = f"/vault/{STUDY}/participants/{CODE}/BL"
    paul = unblinded(PAUL)
    assert "2 to be assigned" in paul.get(page).get_data(as_text=True)
    assert paul.post(page, {"act": "assign"}).status_code == 303
    with trial.read() as session:
        assert len(session.scalars(select(KitGiven.id)).all()) == 2
