from datetime import date

import pytest
from sqlalchemy import insert

from ecrf.kernel.access import Right
from forms import lookup
from forms.answers import Answer
from forms.reading import forms_read
from tests import people
from tests.forms.trial import FINGERPRINT, STUDY_ID, TRIAL
from visits.tables import Visit


def find(session, visit="BL", form="vs", actor=people.CARL):
    return lookup.entry(session, actor, STUDY_ID, "PUMCH-001", visit, form, 1, Right.ENTRY_READ)


@pytest.mark.parametrize(
    ("form", "read"), [("vs", {"vs", "dm"}), ("dm", set()), ("gr", set()), ("ae", set())]
)
def test_a_form_reads_the_forms_its_expressions_name(form, read):
    assert forms_read(TRIAL, FINGERPRINT, TRIAL.forms[form]) == read


@pytest.mark.parametrize(("form", "visit", "cost"), [("vs", "BL", 2), ("gr", "BL", 1)])
def test_finding_costs_one_statement_and_another_only_for_what_is_read(
    desk, statements, form, visit, cost
):
    with statements(desk.database) as sent, desk.database.read() as session:
        find(session, visit, form)
    assert len(sent) == cost


def test_what_is_found_stays_as_it_was_read(desk):
    desk.save({"sbp": "120"})
    with desk.database.read() as session:
        found = find(session)
    assert found.entry.answers["sbp"]["value"] == "120"
    assert (found.version, found.status, found.site.zone) == (1, "draft", "Asia/Shanghai")
    assert found.answers == {"sbp": Answer("120", "", "120")}


def test_the_other_entries_are_those_of_the_forms_read(desk):
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save({"weight": "60"}, visit="SCR")
    desk.save({"weight": "61"})
    desk.save({"LUNG.score": "0"}, form="gr")
    desk.save({"weight": "70"}, visit="SCR", actor=people.BO, code="BFH-001")
    with desk.database.read() as session:
        context = find(session).context
    others = [(e.key, e.form, e.answers["weight" if e.form == "vs" else "sex"].value)
              for e in context.entries]  # fmt: skip
    assert others == [("SCR", "dm", "F"), ("SCR", "vs", "60")]
    assert (context.visit, context.visit_date, context.site) == (
        "BL", date(2026, 3, 1), "PUMCH",
    )  # fmt: skip


def test_visits_stand_in_the_order_of_their_dates(desk):
    with desk.database.write() as session:
        base = find(session).visit
        session.execute(
            insert(Visit).values(
                participant_id=base.participant_id, study=STUDY_ID, plan="SCR", key="SCR-2",
                kind="planned", position=99, status="held", held_on=date(2026, 2, 25),
            )
        )  # fmt: skip
    with desk.database.read() as session:
        keys = ("SCR", "SCR-2", "BL", "W4")
        found = [find(session, key).context.order for key in keys]
    assert found == sorted(found)
