import json

import pytest
from sqlalchemy import update

from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Stale, Unacceptable
from ecrf.kernel.ledger import LEDGER
from forms import fold, history
from tests import people
from tests.forms.trial import STUDY_ID
from visits.tables import Participant

NORMAL = {"sbp": "120", "dbp": "80"}
CHAIN = f"participant:{STUDY_ID}/PUMCH-001"


def borne_out(desk):
    with desk.database.read() as session:
        return not list(fold.differences(session, [CHAIN], [1]))


def told(desk):
    with desk.database.read() as session:
        return [
            (line.action, line.item, line.name)
            for line in history.of_entry(session, 1)
            if "verif" in line.action
        ]


@pytest.mark.req("Q8")
@pytest.mark.req("AT-10")
def test_a_change_takes_the_verification_of_its_item_away_by_itself(desk, mona, statements):
    """Q8: verify, de-verify; a later change de-verifies with an entry of the system."""
    desk.save(NORMAL, complete=True)
    assert mona.verify("sbp", "dbp", "remark") == 3
    assert mona.entry().verified == {"sbp": 1, "dbp": 1, "remark": 1}
    with statements(desk.database) as sent:
        desk.save({"sbp": "125"}, reason="Transcription error")
    assert len(sent) <= 7
    assert mona.entry().verified == {"sbp": 0, "dbp": 1, "remark": 1}
    desk.save({"sbp": "120"}, reason="It was right")
    assert mona.entry().verified["sbp"] == 0, "going back is a change, too"
    mona.verify("sbp")
    assert mona.unverify("dbp") == 1
    assert mona.entry().verified == {"sbp": 3, "remark": 1}
    assert told(desk) == [
        ("entry:verify", "dbp", "Mona Zhou"), ("entry:verify", "remark", "Mona Zhou"),
        ("entry:verify", "sbp", "Mona Zhou"), ("entry:unverify", "sbp", ""),
        ("entry:verify", "sbp", "Mona Zhou"), ("entry:unverify", "dbp", "Mona Zhou"),
    ]  # fmt: skip
    assert borne_out(desk)
    with desk.database.read() as session:
        *_, act = LEDGER.acts(session, key="entry:1")
        assert json.loads(act[3])["role"] == "monitor"


@pytest.mark.req("IA-22")
def test_only_a_monitor_verifies_and_never_changes_an_answer(desk, mona):
    desk.save(NORMAL, complete=True)
    for actor in (people.ANNA, people.CARL, people.DORA, people.AUDREY):
        with pytest.raises(NotAllowed):
            mona.verify("sbp", actor=actor)
    with pytest.raises(NotFound):
        desk.save({"pain": "7"}, actor=people.MONA)
    before = mona.entry()
    mona.verify("sbp")
    after = mona.entry()
    assert (after.answers, after.version, after.saved_by) == (
        before.answers, before.version, before.saved_by,
    )  # fmt: skip


def test_what_cannot_be_compared_as_it_stands_is_refused(desk, mona):
    with pytest.raises(Conflict, match="verified when it is complete"):
        mona.verify("sbp")
    desk.save(NORMAL)
    with pytest.raises(Conflict, match="verified when it is complete"):
        mona.verify("sbp")
    desk.save({}, complete=True)
    with pytest.raises(Stale, match="Compare it again"):
        mona.verify("sbp", seen=1)
    with pytest.raises(Unacceptable, match="Gain since screening is computed"):
        mona.verify("gain")
    with pytest.raises(Unacceptable, match="has no item spb"):
        mona.verify("spb")
    with pytest.raises(Unacceptable, match="Choose what"):
        mona.verify()
    with pytest.raises(Conflict, match="None of these"):
        mona.unverify("sbp")
    mona.verify("sbp")
    with pytest.raises(Conflict, match="nothing left"):
        mona.verify("sbp")
    with pytest.raises(Unacceptable, match="Give a reason"):
        mona.unverify("sbp", reason=" ")
    with desk.database.write() as session:
        session.execute(update(Participant).values(state="locked"))
    with pytest.raises(Conflict, match="locked"):
        mona.verify("dbp")


def test_taking_an_answer_out_is_a_change_and_what_was_blank_stays_verified(desk, mona):
    desk.save(NORMAL, complete=True)
    mona.verify("sbp", "remark")
    desk.save({"sbp": "", "dbp": ""}, reason="Another participant's")
    assert mona.entry().verified == {"sbp": 0, "remark": 1}
    assert borne_out(desk)
