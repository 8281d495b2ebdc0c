import pytest
from sqlalchemy import update

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from ecrf.study.reviewing import Extents
from forms import fold, scope, signing
from forms.review import listing, marks, progress, siteplans
from forms.review.listing import Filters
from forms.review.marks import Kind
from forms.review.plan import Stand
from tests import people
from tests.forms.trial import STUDY_ID, TRIAL
from visits.tables import Visit

NORMAL = {"sbp": "120", "dbp": "80"}
NOTHING = Extents(items="none", otherwise="none")


def page(desk, actor=people.MONA, after="", **filters):
    with desk.database.read() as session:
        return listing.page(session, actor, TRIAL, Filters(**filters), after)


def names(found):
    return [(line.code, line.visit, line.form.id) for line in found.lines]


def mark(desk, kind, actor, note="", **where):
    with desk.database.write() as session:
        target = scope.find(
            session, actor, Right.ENTRY_READ, STUDY_ID, participant="PUMCH-001", **where
        )
        return marks.set_(session, desk.by(actor), target, kind, note)


@pytest.mark.req("L4")
@pytest.mark.req("Q8")
def test_the_list_tells_every_form_with_its_states_and_can_be_filtered_by_each(
    desk, mona, statements
):
    """L4: every participant and form with verified, reviewed, signed and locked; filters."""
    desk.save(NORMAL, complete=True)
    desk.save(NORMAL, visit="SCR", complete=True)
    desk.save({"sex": "F"}, visit="SCR", form="dm", complete=True)
    desk.save(NORMAL, code="BFH-001", actor=people.BO, complete=True)
    mona.verify("sbp", "dbp")
    mona.verify("sbp", visit="SCR")
    with desk.database.write() as session:
        found = desk.find(session, actor=people.ANNA, right=Right.ENTRY_SIGN)
        signing.sign(session, desk.by(people.ANNA), found, zone="Asia/Shanghai", seen_version=1)
        session.execute(update(Visit).where(Visit.key == "SCR").values(state="frozen"))
    mark(desk, Kind.DATA, people.DORA, visit="BL")
    bl, scr, dm = (
        ("PUMCH-001", "BL", "vs"), ("PUMCH-001", "SCR", "vs"), ("PUMCH-001", "SCR", "dm"),
    )  # fmt: skip
    bfh = ("BFH-001", "BL", "vs")
    with statements(desk.database) as sent:
        assert names(page(desk)) == [bfh, bl, scr, dm]
    assert len(sent) == 2
    assert names(page(desk, actor=people.CARL)) == [bl, scr, dm]
    for filters, expected in (
        ({"verification": "verified"}, [bl]),
        ({"verification": "partly verified"}, [scr]),
        ({"verification": "remaining"}, [bfh, scr, dm]),
        ({"signature": "signed"}, [bl]),
        ({"signature": "to sign"}, [bfh, scr]),
        ({"signature": "none needed"}, [dm]),
        ({"signature": "broken"}, []),
        ({"lock": "frozen"}, [scr, dm]),
        ({"lock": "open"}, [bfh, bl]),
        ({"data": "reviewed"}, [bl]),
        ({"data": "not reviewed"}, [bfh, scr, dm]),
        ({"medical": "reviewed"}, []),
        ({"site": "BFH"}, [bfh]),
        ({"form": "dm"}, [dm]),
        ({"participant": "bfh-001"}, [bfh]),
    ):
        assert names(page(desk, **filters)) == expected, filters
    with desk.database.write() as session:
        session.execute(update(Visit).values(state="open"))
    desk.save({"sbp": "121"}, reason="Typing error")
    (line,) = page(desk, verification="changed since verified").lines
    assert (line.signature, line.data, line.tally.changed) == (
        "broken",
        "changed since",
        {"sbp"},
    )
    assert names(page(desk, signature="broken", data="changed since")) == [bl]
    with desk.database.read() as session:
        told = progress.report(listing.every(session, people.MONA, TRIAL, Filters()))
        left = progress.remaining(listing.every(session, people.MONA, TRIAL, Filters()))
        assert [(s.name, s.due, s.done, s.changed) for s in told.sites] == [
            (("BFH",), 2, 0, 0), (("PUMCH",), 5, 2, 1),
        ]  # fmt: skip
        assert [s.name for s in told.visits][-1] == ("PUMCH", "PUMCH-001", "SCR")
        assert told.sites[1].percent == 40
        assert [(r.line.code, r.line.visit, r.item, r.changed) for r in left] == [
            ("BFH-001", "BL", "sbp", False), ("BFH-001", "BL", "dbp", False),
            ("PUMCH-001", "BL", "sbp", True), ("PUMCH-001", "SCR", "dbp", False),
            ("PUMCH-001", "SCR", "sex", False),
        ]  # fmt: skip


def test_pages_follow_the_key_and_lose_nothing(desk, monkeypatch):
    for visit in ("SCR", "BL"):
        desk.save(NORMAL, visit=visit, complete=True)
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save(NORMAL, code="BFH-001", actor=people.BO)
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "SCANNED", 3)
    first = page(desk)
    second = page(desk, after=first.after)
    assert (len(first.lines), len(second.lines), second.after) == (2, 2, None)
    assert len(set(names(first) + names(second))) == 4
    assert page(desk, after="nonsense").lines == first.lines


def test_a_site_may_have_its_own_plan_with_a_reason(desk):
    desk.save(NORMAL, complete=True)
    by = desk.by(people.DORA)

    def set_(form, holds, reason="Few staff", who=by):
        with desk.database.write() as session:
            siteplans.set_(session, who, TRIAL, "PUMCH", form, holds, reason)

    (line,) = page(desk).lines
    assert line.tally.stand is Stand.OPEN
    set_("", NOTHING)
    (line,) = page(desk).lines
    assert line.tally.stand is Stand.NOTHING
    set_("vs", Extents())
    (line,) = page(desk).lines
    assert line.tally.due == {"sbp", "dbp"}
    with pytest.raises(Conflict, match="counts there already"):
        set_("vs", Extents())
    with pytest.raises(Unacceptable, match="Give a reason"):
        set_("vs", NOTHING, reason=" ")
    with pytest.raises(NotFound, match="no form"):
        set_("xy", NOTHING)
    with pytest.raises(NotAllowed):
        set_("vs", NOTHING, who=desk.by(people.MONA))
    with desk.database.write() as session:
        siteplans.drop(session, by, TRIAL, "PUMCH", "vs", "Over")
    (line,) = page(desk).lines
    assert line.tally.stand is Stand.NOTHING


@pytest.mark.req("AT-10")
def test_a_review_holds_for_the_version_seen_and_is_taken_back_with_a_reason(desk):
    desk.save(NORMAL, complete=True)
    desk.save(NORMAL, visit="SCR", complete=True)
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    assert mark(desk, Kind.DATA, people.DORA, "Plausible") == 2
    with pytest.raises(Conflict, match="Nothing here waits"):
        mark(desk, Kind.DATA, people.DORA)
    desk.save({"sbp": "121"}, reason="Typing error")
    with desk.database.read() as session:
        found = desk.find(session, actor=people.DORA, right=Right.ENTRY_READ, lock=False)
        (kept,) = marks.of_entry(session, found.entry)
        assert (kept.kind, kept.name, kept.note, kept.stale) == (
            "data", "Dora Chen", "Plausible", True,
        )  # fmt: skip
    assert mark(desk, Kind.DATA, people.DORA) == 1
    for actor, kind in ((people.MONA, Kind.DATA), (people.DORA, Kind.MEDICAL)):
        with pytest.raises(NotAllowed):
            mark(desk, kind, actor)
    with desk.database.write() as session:
        target = scope.find(
            session, people.DORA, Right.ENTRY_READ, STUDY_ID, participant="PUMCH-001",
            visit="BL", form="vs",
        )  # fmt: skip
        marks.withdraw(session, desk.by(people.DORA), target, Kind.DATA, "Too early")
        with pytest.raises(Conflict, match="no such mark"):
            marks.withdraw(session, desk.by(people.DORA), target, Kind.DATA, "Twice")
        chain = f"participant:{STUDY_ID}/PUMCH-001"
        assert not list(fold.differences(session, [chain], [1]))
