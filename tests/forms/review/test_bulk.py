from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ecrf.kernel.errors import Conflict, NotFound, Stale
from ecrf.kernel.signatures import Signature
from ecrf.study.reviewing import Milestone
from forms import fold, gates, signing
from forms.review import bulk, occasions, since
from forms.scope import Level, Scope
from forms.tables import Entry
from tests import people
from tests.forms.trial import STUDY_ID, TRIAL, words
from visits.tables import Visit

NORMAL = {"sbp": "120", "dbp": "80"}
CODE = "PUMCH-001"
CHAIN = f"participant:{STUDY_ID}/{CODE}"
START = occasions.of_milestone(
    Milestone(
        id="start", label=words("Begun"), visits=("SCR", "BL"), signed=words("All is right.")
    )
)


@pytest.fixture
def filled(desk):
    """Vital signs complete at two visits, demographics too, organs a draft."""
    desk.save(NORMAL, visit="SCR", complete=True)
    desk.save({"sex": "F"}, visit="SCR", form="dm", complete=True)
    desk.save(NORMAL, complete=True)
    desk.save({"LUNG.score": "1"}, form="gr")
    return desk


def gather(desk, occasion, actor=people.ANNA):
    with desk.database.read() as session:
        return bulk.gather(session, actor, STUDY_ID, CODE, occasion)


def sign(desk, occasion, seen=None, actor=people.ANNA):
    seen = gather(desk, occasion).seen if seen is None else seen
    with desk.database.write() as session:
        return bulk.sign(
            session, desk.by(actor), STUDY_ID, CODE, occasion, seen, "Asia/Shanghai"
        )


def lines(batch):
    return {
        (line.leaf.visit, line.form.id): (line.state, line.leaf.meaning.en)
        for line in batch.lines
    }


@pytest.mark.req("ES-08")
@pytest.mark.req("L5")
def test_a_milestone_signs_each_form_with_its_own_text_or_that_of_the_milestone(filled):
    """L5: the attestation is the form's; ES-08: milestones are declared and signed."""
    assert lines(gather(filled, START)) == {
        ("SCR", "vs"): ("to sign", "I have read these signs."),
        ("SCR", "dm"): ("to sign", "All is right."),
        ("BL", "vs"): ("to sign", "I have read these signs."),
        ("BL", "gr"): ("in progress", "All is right."),
    }
    assert sign(filled, START) == 3
    states = {key: state for key, (state, _) in lines(gather(filled, START)).items()}
    assert states == {
        ("SCR", "vs"): "signed", ("SCR", "dm"): "signed", ("BL", "vs"): "signed",
        ("BL", "gr"): "in progress",
    }  # fmt: skip
    with filled.database.read() as session:
        assert all(
            map(signing.standing, session.scalars(select(Entry).where(Entry.form != "gr")))
        )
        made = list(session.scalars(select(Signature).order_by(Signature.id)))
        assert len({one.content_hash for one in made}) == 3
        assert {one.printed_name for one in made} == {"Anna Li"}
        assert not list(fold.differences(session, [CHAIN], [1]))
    with pytest.raises(Conflict, match="nothing here to be signed"):
        sign(filled, START)


def test_a_visit_and_the_casebook_cover_the_forms_that_ask_for_a_signature(filled):
    assert set(lines(gather(filled, occasions.CASEBOOK))) == {("SCR", "vs"), ("BL", "vs")}
    visit = occasions.named(TRIAL, "BL", "")
    assert set(lines(gather(filled, visit))) == {("BL", "vs")}
    assert occasions.named(TRIAL, "", "start") is None
    assert sign(filled, visit) == 1


def test_what_is_not_what_was_listed_is_not_signed(filled):
    seen = gather(filled, START).seen
    filled.save({"remark": "resting"})
    with pytest.raises(Stale, match="has changed since"):
        sign(filled, START, seen)
    assert not any(state == "signed" for state, _ in lines(gather(filled, START)).values())
    with pytest.raises(Stale):
        sign(filled, START, {})


@pytest.mark.req("ES-06")
def test_nobody_but_an_investigator_or_delegate_of_the_site_signs(filled):
    for actor in (people.CARL, people.DORA, people.MONA, people.BO):
        with pytest.raises(NotFound):
            sign(filled, START, {}, actor=actor)


def test_a_locked_visit_is_left_out(filled):
    with filled.database.write() as session:
        session.execute(update(Visit).where(Visit.key == "SCR").values(state="locked"))
    assert sign(filled, START) == 1


@pytest.mark.req("ES-05")
def test_a_broken_signature_says_what_changed_and_bars_the_lock_until_signed_again(filled):
    """ES-05: any change breaks the signature in sight, and the lock waits for a new one."""
    sign(filled, START)
    later = people.NOON + timedelta(hours=1)
    filled.save({"sex": "M"}, visit="SCR", form="dm", reason="Typing error", at=later)
    with filled.database.read() as session:
        entry = session.scalars(select(Entry).where(Entry.form == "dm")).one()
        assert signing.broken(entry)
        told = since.since(session, entry)
        assert [(c.item, c.old["value"], c.new["value"]) for c in told.items] == [
            ("sex", "F", "M")
        ]
        assert not told.definition
        scope = Scope(Level.STUDY, STUDY_ID, STUDY_ID)
        barred = [
            b.form for b in gates.open_ends(session, scope, later)
            if b.kind is gates.Gate.SIGNATURE
        ]  # fmt: skip
        assert barred == ["dm"]
    assert lines(gather(filled, START))["SCR", "dm"][0] == "broken"
    assert sign(filled, START) == 1
