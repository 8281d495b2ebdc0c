"""What follows from a save: visits placed, the end, deviations, forms asked; and undoing it."""

import pytest
from sqlalchemy import func, select

from ecrf.kernel.access import Right
from ecrf.kernel.ledger import LEDGER
from forms import casebook, consequences, lookup, needs
from forms.context import Entered
from forms.needs import Need, Place
from tests import people
from tests.forms import trial
from tests.forms.conftest import Desk
from tests.forms.consequent import STUDY, in_force
from visits.tables import Deviation, Participant, Visit


@pytest.fixture
def desk(database, draw, by, monkeypatch):
    in_force(monkeypatch)
    return Desk(trial.begin(database, draw), by)


def visit(desk, key):
    with desk.database.read() as session:
        return session.execute(
            select(Visit.first, Visit.last, Visit.due, Visit.asked, Visit.spared)
            .join(Participant, Participant.id == Visit.participant_id)
            .where(Participant.code == "PUMCH-001", Visit.key == key)
        ).one()


def status(desk):
    with desk.database.read() as session:
        return session.scalar(select(Participant.status).where(Participant.code == "PUMCH-001"))


def standing(desk):
    with desk.database.read() as session:
        return session.execute(
            select(Deviation.rule, Deviation.form, Deviation.severity).where(
                Deviation.withdrawn_at.is_(None)
            )
        ).all()


def actions(desk):
    with desk.database.read() as session:
        c = LEDGER.act.c
        rows = session.execute(select(c.action, func.count()).group_by(c.action))
        return {row.action: row[1] for row in rows}


def test_the_last_dose_places_the_call_that_follows_it_and_takes_it_away_again(desk):
    desk.save({"taken": "2026-02-25"})
    assert visit(desk, "SFU").first is None, "a draft brings nothing about"
    desk.save({}, complete=True)
    placed = visit(desk, "SFU")
    assert (placed.first.isoformat(), placed.last.isoformat()) == ("2026-03-18", "2026-04-01")
    assert placed.due == placed.last
    desk.save({"taken": "2026-02-26"}, reason="Transcription error")
    assert visit(desk, "SFU").last.isoformat() == "2026-04-02"
    desk.save({"taken": ""}, reason="Transcription error")
    assert visit(desk, "SFU") == (None, None, None, "", "")
    assert actions(desk)["visit:place"] == 3


def test_an_entry_that_ends_the_participation_is_undone_by_its_correction(desk):
    desk.save({"taken": "2026-02-25", "remark": "end"}, complete=True)
    assert status(desk) == "screen failed"
    assert visit(desk, "SFU").due is not None, "the call stays due"
    desk.save({"remark": "left"}, reason="Transcription error")
    assert visit(desk, "SFU").due is None
    desk.save({"remark": "stays"}, reason="Transcription error")
    assert status(desk) == "screening"
    assert visit(desk, "SFU").due is not None
    assert actions(desk)["participant:come-back"] == 2


def test_a_deviation_stands_as_long_as_the_answers_say_so(desk):
    desk.save({"sbp": "210", "dbp": "80"}, complete=True)
    assert standing(desk) == [("DEV", "vs", "major")]
    desk.save({"weight": "60"})
    assert actions(desk)["deviation:judge"] == 1, "what stands is not raised twice"
    desk.save({"sbp": "120"}, reason="Transcription error")
    assert standing(desk) == []
    assert actions(desk)["deviation:judge"] == 2


def test_a_condition_decides_which_forms_a_visit_asks_for(desk):
    assert visit(desk, "W4")[3:] == ("", "")
    desk.save({"sex": "M"}, visit="SCR", form="dm")
    assert visit(desk, "W4")[3:] == ("", "vs|")
    desk.save({"sex": "F"}, visit="SCR", form="dm", reason="Transcription error")
    assert visit(desk, "W4")[3:] == ("vs|", "")
    assert visit(desk, "BL")[3:] == ("", ""), "the condition names other visits"
    desk.save({"sbp": "120"})
    assert actions(desk)["visit:ask"] == 2, "other saves decide nothing"


def test_a_prompt_leads_to_the_form_until_it_is_filled_in(desk):
    desk.save({"sbp": "210", "dbp": "80"})
    assert prompted(desk) == ["HIGH"]
    desk.save({"term": "Crisis"}, visit="LOG", form="ae")
    assert prompted(desk) == []


def prompted(desk):
    with desk.database.read() as session:
        found = lookup.entry(
            session, people.CARL, trial.STUDY_ID, "PUMCH-001", "BL", "vs", 1, Right.ENTRY_READ
        )
        return [rule.id for rule in consequences.prompts(found, found.answers)]


@pytest.mark.parametrize(
    ("asked", "spared", "need"),
    [
        ("", "", "conditional"),
        ("vs|", "", "required"),
        ("", "vs|", "not needed"),
        ("avs|", "svs|", "conditional"),
    ],
)
def test_a_form_with_a_condition_is_needed_as_its_visit_says(asked, spared, need):
    cell = next(a for a in STUDY.matrix if (a.form, a.visit) == ("vs", "W4"))
    assert casebook.need(STUDY, cell, asked, spared) == need
    assert casebook.required(STUDY, "W4", asked) == (("vs",) if need == "required" else ())


def test_a_condition_nobody_can_answer_yet_asks_and_spares_nothing():
    place = Place(1, "W4", "W4", None, 3, "", "")
    assert needs.decide(STUDY, place, "PUMCH", ()) == Need("", "")
    blank = Entered("SCR", "SCR", 1, "dm", 1, {})
    assert needs.decide(STUDY, place, "PUMCH", [blank]) == Need("", "")
