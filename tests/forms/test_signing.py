import hashlib
import json

import pytest
from sqlalchemy import insert, select, update

from ecrf.kernel.access import Right
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, NotAllowed, Stale
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.signatures import Signature
from forms import fold, signing
from forms.tables import Entry
from tests import people
from tests.forms.trial import FINGERPRINT, STUDY_ID
from visits.tables import Participant

NORMAL = {"sbp": "120", "dbp": "80"}


def sign(desk, actor=people.ANNA, *, form="vs", seen=None, zone="Asia/Shanghai"):
    with desk.database.write() as session:
        found = desk.find(session, form=form, actor=actor, right=Right.ENTRY_READ)
        version = found.version if seen is None else seen
        return signing.sign(session, desk.by(actor), found, zone=zone, seen_version=version)


def entry(desk):
    with desk.database.read() as session:
        found = session.scalars(select(Entry)).one()
        session.expunge(found)
        return found


def test_a_signature_shows_name_meaning_and_time_and_binds_the_content(desk):
    desk.save(NORMAL, complete=True)
    sign(desk)
    with desk.database.read() as session:
        (made,) = signing.of_entry(session, 1)
        assert (made.printed_name, made.role, made.zone) == (
            "Anna Li", "site investigator", "Asia/Shanghai",
        )  # fmt: skip
        assert (made.meaning_en, made.at) == ("I have read these signs.", people.NOON)
        content = canonical({
            "answers": {
                "dbp": {"text": "80", "value": "80"}, "sbp": {"text": "120", "value": "120"},
            },
            "form": "vs", "meaning": "I have read these signs.",
            "meaning_zh": "I have read these signs.（中）", "number": 1,
            "participant": "PUMCH-001", "protocol": FINGERPRINT, "version": 1, "visit": "BL",
        })  # fmt: skip
        assert made.content_hash == hashlib.sha256(content.encode()).hexdigest()
    signed = entry(desk)
    assert signing.standing(signed)
    assert not signing.broken(signed)


def test_signing_is_an_act_that_names_the_signature_and_what_it_binds(desk):
    desk.save(NORMAL, complete=True)
    signature_id = sign(desk)
    with desk.database.read() as session:
        *_, act = LEDGER.acts(session, key="entry:1")
        header = json.loads(act[3])
        digest = session.scalar(select(Signature.content_hash))
        assert header["action"] == "entry:sign"
        assert header["refs"]["signature"] == signature_id
        assert header["refs"]["content"] == digest
        chain = f"participant:{STUDY_ID}/PUMCH-001"
        assert not list(fold.differences(session, [chain], [1]))


@pytest.mark.req("ES-02")
@pytest.mark.parametrize(
    "moved",
    [
        {"target": "entry:2"}, {"content_hash": "0" * 64}, {"signed_version": 9},
        {"signature_id": None},
    ],
    ids=lambda moved: next(iter(moved)),
)  # fmt: skip
def test_a_signature_moved_to_another_entry_or_altered_is_found_out(desk, moved):
    """ES-02: a signature row cannot be moved to another record or altered unnoticed."""
    desk.save(NORMAL, complete=True)
    desk.save(NORMAL, visit="SCR", complete=True)
    sign(desk)
    chain = f"participant:{STUDY_ID}/PUMCH-001"
    with desk.database.write() as session:
        assert not list(fold.differences(session, [chain], [1]))
        rows = session.connection()
        if "target" in moved or "content_hash" in moved:
            made = dict(rows.execute(select(Signature.__table__)).one()._mapping)
            kept = {**made, **moved}
            del kept["id"]
            rows.execute(insert(Signature).values(**kept))
        else:
            rows.execute(update(Entry).where(Entry.id == 1).values(**moved))
        told = [d.message.in_("en") for d in fold.differences(session, [chain], [1])]
    number = 2 if "target" in moved else 1
    assert told == [f"A signature of form number {number} binds other answers."]


@pytest.mark.req("ES-05")
def test_a_change_breaks_the_signature_and_leaves_its_row(desk):
    desk.save(NORMAL, complete=True)
    sign(desk)
    desk.save({"sbp": "125"}, reason="Transcription error")
    changed = entry(desk)
    assert signing.broken(changed)
    assert not signing.standing(changed)
    sign(desk)
    assert signing.standing(entry(desk))
    with desk.database.read() as session:
        assert [s.version for s in signing.of_entry(session, 1)] == [1, 2]


def test_only_what_is_complete_and_asks_for_it_is_signed(desk):
    with pytest.raises(Conflict, match="signed when it is complete"):
        sign(desk)
    desk.save(NORMAL)
    with pytest.raises(Conflict, match="signed when it is complete"):
        sign(desk)
    with pytest.raises(Conflict, match="Organs asks for no signature"):
        sign(desk, form="gr")


def test_nothing_is_signed_twice(desk):
    desk.save(NORMAL, complete=True)
    sign(desk)
    with pytest.raises(Conflict, match="signed already"):
        sign(desk)


def test_what_changed_since_it_was_read_is_not_signed(desk):
    desk.save(NORMAL, complete=True)
    desk.save({"remark": "resting"})
    with pytest.raises(Stale, match="Read it again"):
        sign(desk, seen=1)


def test_only_an_investigator_signs(desk):
    desk.save(NORMAL, complete=True)
    for actor in (people.CARL, people.DORA, people.MONA):
        with pytest.raises(NotAllowed):
            sign(desk, actor)


def test_what_is_frozen_can_be_signed_and_what_is_locked_cannot(desk):
    desk.save(NORMAL, complete=True)
    _set(desk, "locked")
    with pytest.raises(Conflict, match="participant is locked"):
        sign(desk)
    _set(desk, "frozen")
    sign(desk)
    assert signing.standing(entry(desk))


def _set(desk, state):
    with desk.database.write() as session:
        session.execute(update(Participant).values(state=state))
