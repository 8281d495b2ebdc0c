"""Ranges loaded, results judged by them, alerts raised: through the one door."""

import pytest
from sqlalchemy import select

from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.outbox import Outgoing
from forms.answers import Given
from forms.laboratory import alerts, loading, sheet
from forms.laboratory.tables import AlertRow
from forms.tables import Entry
from tests import people
from tests.forms.laboratory.conftest import RANGES, WITH_LAB
from tests.forms.trial import STUDY_ID

SAMPLE = {"lbdat": "2026-03-01", "lab_id": "Central lab"}


def load(running, by, table=RANGES, actor=people.DORA):
    found = sheet.read(table.splitlines(), WITH_LAB)
    assert not found.problems
    with running.write() as session:
        return loading.load(session, by(actor), STUDY_ID, found.ranges, "f" * 64)


def stored(running):
    with running.read() as session:
        return {e.form: e.answers for e in session.scalars(select(Entry))}


def listed(running, actor=people.DORA, status="open"):
    with running.read() as session:
        return alerts.listing(session, actor, STUDY_ID, status=status)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("X,,ALTT,F,,,2000-01-01,7,40,U/L,", "no analyte ALTT"),
        (",ZZZ,ALT,F,,,2000-01-01,7,40,U/L,", "no site ZZZ"),
        (",,ALT,F,,,2000-01-01,40,7,U/L,", "above the upper"),
        (",,ALT,F,,,2000-01-01,7,40,mg,", "is no unit"),
        (",,ALT,F,,,2000-01-01,,,U/L,", "neither"),
        (",,ALT,F,,,01-02-03,7,40,U/L,", "starts_on"),
        (",,ALT,X,,,2000-01-01,7,40,U/L,", "The sex is"),
        (",,ALT,F,old,,2000-01-01,7,40,U/L,", "completed years"),
        (",,ALT,F,,,2000-01-01,<7,40,U/L,", "comparison"),
    ],
)
def test_every_line_of_a_table_that_is_wrong_is_named_and_none_counts(line, said):
    found = sheet.read([*RANGES.splitlines(), line], WITH_LAB)
    assert found.ranges == ()
    ((where, message),) = found.problems
    assert (where, said in str(message)) == ("5", True), message


def test_bounds_are_kept_in_the_canonical_unit():
    table = [RANGES.splitlines()[0], ",,ALT,,,,2000-01-01,0.15,0.8,µkat/L,"]
    (known,) = sheet.read(table, WITH_LAB).ranges
    assert (known.low, known.high, known.source) == (9, 48, "laboratory")


def test_a_result_is_judged_by_the_range_of_that_day_and_keeps_it(running, desk, by):
    assert load(running, by) == (3, 0, 0)
    assert load(running, by) == (0, 0, 3)
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save({**SAMPLE, "alt": Given("2", "µkat/L"), "plat": "125"}, form="lb")
    answers = stored(running)["lb"]
    assert answers["alt"]["value"] == "120"
    assert answers["alt"]["reference"].split("|")[1:3] == ["7", "40"]
    assert (answers["alt_uln"]["value"], answers["ALT.flag"]["value"]) == ("40", "H")
    assert (answers["ALT.grade"]["value"], answers["PLAT.flag"]["value"]) == ("1", "N")

    # A correction of the range replaces it, and alters no result that was judged before.
    corrected = RANGES.replace("7,40", "7,30")
    assert load(running, by, corrected) == (0, 1, 2)
    desk.save({"plat": "126"}, form="lb", reason="Read again")
    answers = stored(running)["lb"]
    assert answers["alt_uln"]["value"] == "40"
    # Typed anew, or moved to another day, it is judged by what is in force now.
    desk.save({"lbdat": "2026-02-28"}, form="lb", reason="Read again")
    answers = stored(running)["lb"]
    assert (answers["alt_uln"]["value"], answers["ALT.grade"]["value"]) == ("30", "2")


def test_only_data_management_changes_ranges(running, by):
    with pytest.raises(NotAllowed):
        load(running, by, actor=people.CARL)


def test_a_save_with_ranges_sends_no_statement_for_them(running, desk, by, statements):
    load(running, by)
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save({**SAMPLE, "alt": "20"}, visit="SCR", form="lb")
    with statements(running) as sent:
        desk.save({**SAMPLE, "alt": "20", "plat": "200"}, form="lb")
    assert not [one for one in sent if "FROM reference_range" in one]
    assert not [one for one in sent if "safety_alert" in one]
    assert len(sent) <= 7, sent


def test_an_alert_is_raised_once_withdrawn_when_corrected_and_raised_again(running, desk):
    desk.save({**SAMPLE, "plat": "75"}, form="lb")
    assert listed(running) == []
    desk.save({"plat": "74"}, form="lb", reason="Misread")
    (alert,) = listed(running)
    assert (alert.code, alert.visit, alert.rule, alert.level, alert.item) == (
        "PUMCH-001", "BL", "LB01", "hold", "plat",
    )  # fmt: skip
    desk.save({"plat": "73"}, form="lb", reason="Misread")
    assert len(listed(running)) == 1
    desk.save({"plat": "173"}, form="lb", reason="Misread")
    assert listed(running) == []
    desk.save({"plat": "70"}, form="lb", reason="Misread")
    assert [line.status for line in listed(running, status=None)] == ["open", "withdrawn"]
    with running.read() as session:
        waiting = list(session.scalars(select(Outgoing)))
        session.expunge_all()
    assert [one.sent_at for one in waiting] == [None, None]
    assert all("PUMCH-001" not in one.text_en + one.text_zh + one.path for one in waiting)


def test_an_alert_is_acknowledged_by_name_with_a_comment_at_ones_own_site(running, desk, by):
    desk.save({**SAMPLE, "plat": "60"}, form="lb")
    (alert,) = listed(running, people.ANNA)
    assert listed(running, people.BO) == []
    with running.write() as session:
        with pytest.raises(NotFound):
            alerts.acknowledge(session, by(people.BO), STUDY_ID, alert.id, "Seen")
        with pytest.raises(NotAllowed):
            alerts.acknowledge(session, by(people.CARL), STUDY_ID, alert.id, "Seen")
        with pytest.raises(Unacceptable):
            alerts.acknowledge(session, by(people.ANNA), STUDY_ID, alert.id, "  ")
    with running.write() as session:
        alerts.acknowledge(session, by(people.ANNA), STUDY_ID, alert.id, "Dose held")
    (seen,) = listed(running, status="acknowledged")
    assert (seen.seen_by, seen.comment) == (people.ANNA.name, "Dose held")
    with running.write() as session, pytest.raises(Conflict):
        alerts.acknowledge(session, by(people.DORA), STUDY_ID, alert.id, "Too")
    desk.save({"plat": "160"}, form="lb", reason="Misread")
    with running.read() as session:
        assert session.scalar(select(AlertRow.status)) == "acknowledged"
        acts = [row[3] for row in LEDGER.acts(session, key=f"alert:{alert.id}")]
    assert len(acts) == 1
    assert '"alert:acknowledge"' in acts[0]
