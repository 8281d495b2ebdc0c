"""A stratum that was wrong: corrected as a new fact, over HTTP; the vault hears nothing."""

# ruff: noqa: F811 (fixtures)

import pytest
from sqlalchemy import func, select, update

from ecrf.kernel.ledger import LEDGER, participant_chain
from forms.tables import Entry
from randomization.tables import LEDGER as VAULT_LEDGER
from reports import people_listed
from reports.read import Selection
from tests.people import ANNA, BO, CARL, DORA, MONA, NOON, STUDY
from tests.web.test_randomize import (  # noqa: F401 (fixtures)
    CODE,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    trial,
)
from visits.allocating.tables import StratumCorrection
from visits.tables import Deviation, KitGiven, Participant

PAGE = f"/{STUDY}/participants/{CODE}/stratum"
TRUE = {"factor": "background", "true_level": "N", "reason": "The drug was stopped a year ago"}


@pytest.fixture
def anna(trial, visitor):
    """Anna, who has randomized the participant under background=Y."""
    anna = visitor(ANNA)
    assert confirm(anna).status_code == 303
    return anna


def say_no(trial):
    with trial.write() as session:
        answers = {"bg_is": {"text": "N", "value": "N"}}
        session.execute(update(Entry).where(Entry.form == "igh").values(answers=answers))


def standing(trial):
    with trial.read() as session:
        return session.scalars(
            select(Deviation.rule).where(Deviation.withdrawn_at.is_(None))
        ).all()


def exported(trial):
    with trial.read() as session:
        selection = Selection(STUDY, None, NOON)
        (row,) = people_listed.participants(session, selection)
        return row[-3:], list(people_listed.corrections(session, selection))


def test_a_wrong_factor_is_corrected_and_slot_and_kits_stay(trial, anna, opened):
    with trial.read() as session:
        before = session.execute(select(Participant.receipt, Participant.random_number)).one()
        kits = session.scalars(select(KitGiven.number)).all()
    with opened.database.read() as session:
        acts = session.scalar(select(func.count()).select_from(VAULT_LEDGER.act))
    assert anna.post(PAGE, TRUE).status_code == 303
    with trial.read() as session:
        assert (
            session.execute(select(Participant.receipt, Participant.random_number)).one()
            == before
        )
        assert session.scalars(select(KitGiven.number)).all() == kits
        (*_, act) = LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE))
    assert '"stratum:correct"' in act[3] and "stopped a year ago" in act[4]
    with opened.database.read() as session:
        assert session.scalar(select(func.count()).select_from(VAULT_LEDGER.act)) == acts
    assert standing(trial) == ["WRONG_STRATUM"]
    base = f"/{STUDY}/participants/{CODE}"
    for page in (PAGE, base, f"{base}/randomize"):
        assert "No" in anna.get(page).get_data(as_text=True)
    assert "Stratum corrected." in anna.get(base).get_data(as_text=True)


def test_exports_have_both_strata_and_every_correction(trial, anna):
    was = "site=PUMCH|background=Y"
    assert exported(trial) == ([was, was, "N"], [])
    anna.post(PAGE, TRUE)
    strata, lines = exported(trial)
    assert strata == [was, "site=PUMCH|background=N", "Y"]
    assert [line[3:7] for line in lines] == [["background", "Y", "N", TRUE["reason"]]]


def test_a_correction_is_superseded_by_another_and_never_taken_away(trial, anna):
    anna.post(PAGE, TRUE)
    back = {**TRUE, "true_level": "Y", "reason": "It was going on after all"}
    assert anna.post(PAGE, back).status_code == 303
    assert standing(trial) == []
    strata, lines = exported(trial)
    assert strata[-1] == "N"
    assert [line[-1] for line in lines] == ["N", "Y"]
    text = anna.get(PAGE).get_data(as_text=True)
    assert TRUE["reason"] in text and back["reason"] in text
    with pytest.raises(Exception, match="append-only"), trial.write() as session:
        session.execute(update(StratumCorrection).values(reason="other"))


def test_when_the_answer_is_corrected_later_the_page_offers_it(trial, anna):
    assert "The answer now says" not in anna.get(PAGE).get_data(as_text=True)
    say_no(trial)
    text = anna.get(PAGE).get_data(as_text=True)
    assert "The answer now says: No." in text
    assert '<option value="N" selected>' in text
    anna.post(PAGE, TRUE)
    assert "The answer now says" not in anna.get(PAGE).get_data(as_text=True)


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"reason": " "}, 422, "Give a reason."),
        ({"true_level": ""}, 422, "Choose a level of this factor."),
        ({"true_level": "MAYBE"}, 422, "Choose a level of this factor."),
        ({"true_level": "Y"}, 422, "This is what is known already."),
        ({"factor": "site", "true_level": "BFH"}, 404, "asks for no factor site"),
        ({"factor": "colour"}, 404, "asks for no factor colour"),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(trial, anna, sent, status, says):
    page = anna.post(PAGE, {**TRUE, **sent})
    assert page.status_code == status
    assert says in page.get_data(as_text=True)
    with trial.read() as session:
        assert session.scalars(select(StratumCorrection.id)).all() == []


def test_who_may_correct(trial, anna, visitor):
    assert visitor(DORA).post(PAGE, TRUE).status_code == 303
    assert visitor(CARL).get(PAGE).status_code == 403
    assert visitor(MONA).post(PAGE, TRUE).status_code == 403
    assert visitor(BO).post(PAGE, TRUE).status_code == 404


def test_nobody_is_corrected_before_they_are_randomized(trial, visitor):
    assert visitor(ANNA).get(PAGE).status_code == 409
