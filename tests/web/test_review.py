import re

import pytest
from sqlalchemy import func, select

from ecrf.kernel.signatures import Signature
from forms.tables import Entry
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin

HERE = f"/{STUDY_ID}/participants/PUMCH-001"
VS = f"{HERE}/visits/BL/vs"
NORMAL = {"sbp": "120", "dbp": "80"}
BOTH = {"username": "anna", "password": people.PASSWORD}


@pytest.fixture
def database(database, draw):
    return begin(database, draw)


@pytest.fixture
def desk(database, by):
    made = Desk(database, by)
    made.save(NORMAL, complete=True)
    made.save(NORMAL, visit="SCR", complete=True)
    return made


def first(database, column):
    with database.read() as session:
        return session.scalar(select(column).where(Entry.id == 1))


@pytest.mark.req("Q8")
@pytest.mark.req("IA-22")
def test_a_monitor_verifies_items_and_whole_forms_and_sees_what_changed_since(
    visitor, desk, database
):
    """Q8 on the pages: per item, all remaining, changed since; never a way to edit."""
    mona, carl = visitor(people.MONA), visitor(people.CARL)
    page = mona.get(VS).text
    assert "0 of 2 items verified" in page
    assert 'name="item" value="sbp" form="verify"' in page
    assert "Save draft" not in page
    assert "Verify all remaining" not in carl.get(VS).text
    sent = mona.post(f"{VS}/1/verify", {"act": "verify", "item": "sbp", "seen_version": "1"})
    assert sent.status_code == 303
    rest = re.findall(r'name="remaining" value="(\w+)"', mona.get(VS).text)
    assert rest == ["dbp"]
    mona.post(f"{VS}/1/verify", {"act": "remaining", "remaining": rest, "seen_version": "1"})
    assert first(database, Entry.verified) == {"sbp": 1, "dbp": 1}
    assert "Verified" in carl.get(VS).text
    desk.save({"sbp": "121"}, reason="Typing error")
    page = mona.get(VS).text
    assert "1 of 2 items verified" in page
    assert "Changed since verified" in page
    assert "No longer verified" in mona.get(f"{VS}/1/history").text
    back = {"act": "unverify", "item": "dbp", "seen_version": "2", "reason": "Other day"}
    assert mona.post(f"{VS}/1/verify", back).status_code == 303
    assert first(database, Entry.verified) == {"sbp": 0}
    for person, status in ((carl, 403), (visitor(people.AUDREY), 403)):
        assert person.post(f"{VS}/1/verify", {"act": "remaining"}).status_code == status
    stale = mona.post(f"{VS}/1/verify", {"act": "verify", "item": "sbp", "seen_version": "1"})
    assert stale.status_code == 409


@pytest.mark.req("L4")
def test_the_management_page_filters_links_and_hands_out_csv(visitor, desk):
    """L4: every form with its states, filterable, with links to the form."""
    dora, mona, bo = (visitor(who) for who in (people.DORA, people.MONA, people.BO))
    marked = dora.post(f"{HERE}/review", {"kind": "data", "visit": "BL", "note": "Plausible"})
    assert marked.status_code == 303
    page = dora.get(f"/{STUDY_ID}/review?data=reviewed").text
    assert f'href="{VS}"' in page
    assert "visits/SCR/vs" not in page
    assert "Plausible" in dora.get(VS).text
    told = dora.get(f"/{STUDY_ID}/review.csv?site=PUMCH").text.splitlines()
    assert told[1] == (
        "PUMCH,PUMCH-001,BL,vs,1,complete,1,to verify,2,0,0,reviewed,not reviewed,to sign,open"
    )
    left = mona.get(f"/{STUDY_ID}/review/remaining.csv").text.splitlines()
    assert left[1] == "PUMCH,PUMCH-001,BL,vs,1,1,sbp,Systolic,To verify"
    assert len(left) == 5
    assert bo.get(f"/{STUDY_ID}/review.csv").text.count("\n") == 1
    assert bo.get(f"/{STUDY_ID}/review/remaining.csv").status_code == 403
    assert "0 %" in mona.get(f"/{STUDY_ID}/review/progress?site=PUMCH").text
    plan = {"site": "PUMCH", "items": "none", "otherwise": "none", "sample": "100"}
    assert "Give a reason" in dora.post(f"/{STUDY_ID}/review/plan", plan).text
    assert dora.post(f"/{STUDY_ID}/review/plan", {**plan, "sample": "x"}).status_code == 422
    sent = dora.post(f"/{STUDY_ID}/review/plan", {**plan, "reason": "Central monitoring"})
    assert sent.status_code == 303
    assert "Central monitoring" in mona.get(f"/{STUDY_ID}/review/plan").text
    assert mona.post(f"/{STUDY_ID}/review/plan", plan).status_code == 403
    assert len(mona.get(f"/{STUDY_ID}/review/remaining.csv").text.splitlines()) == 1
    assert dora.post(f"{HERE}/review", {"kind": "odd"}).status_code == 404
    assert visitor(people.CARL).post(f"{HERE}/review", {"kind": "data"}).status_code == 403


@pytest.mark.req("ES-03")
@pytest.mark.req("ES-04")
@pytest.mark.req("L3")
def test_the_first_signature_of_a_session_needs_both_components_the_next_one_the_password(
    visitor, desk, database
):
    """L3, ES-03, ES-04: user name and password, then the password; a new session anew."""
    anna = visitor(people.ANNA)
    sign = f"{VS}/1/sign"
    assert 'name="username"' in anna.get(VS).text
    for wrong in (
        {"password": people.PASSWORD}, {"username": "carl", "password": people.PASSWORD},
        {"username": "anna", "password": "wrong"},
    ):  # fmt: skip
        answer = anna.post(sign, {"seen_version": "1", **wrong})
        assert answer.status_code == 403
        assert "The user name or the password is not right." in answer.text
    assert anna.post(sign, {"seen_version": "1", **BOTH}).status_code == 303
    page = anna.get(f"{HERE}/sign?visit=SCR").text
    assert 'name="username"' not in page
    listed = re.findall(r'name="entry" value="([\d:]+)"', page)
    assert listed == ["2:1"]
    body = {"visit": "SCR", "entry": listed, "password": people.PASSWORD}
    assert anna.post(f"{HERE}/sign", {**body, "entry": "2:9"}).status_code == 409
    assert "What is listed has changed" in anna.post(f"{HERE}/sign", {**body, "entry": []}).text
    assert anna.post(f"{HERE}/sign", {**body, "password": "wrong"}).status_code == 403
    assert anna.post(f"{HERE}/sign", body).status_code == 303
    with database.read() as session:
        assert session.scalar(select(func.count(Signature.id))) == 2
    desk.save({"remark": "resting"}, visit="SCR", reason="Added")
    again = visitor(people.ANNA)
    assert 'name="username"' in again.get(f"{HERE}/sign").text


@pytest.mark.req("ES-01")
@pytest.mark.req("ES-05")
@pytest.mark.req("ES-06")
def test_a_broken_signature_is_struck_out_and_says_what_changed(visitor, desk):
    """ES-01, ES-05: name, time with zone and meaning; after a change, what it was and is."""
    anna = visitor(people.ANNA)
    anna.post(f"{VS}/1/sign", {"seen_version": "1", **BOTH})
    page = anna.get(VS).text
    for word in ("Anna Li", "Asia/Shanghai, UTC+08:00", "I have read these signs."):
        assert word in page
    assert "Changed since it was signed" not in page
    desk.save({"sbp": "121"}, reason="Typing error")
    page = anna.get(VS).text
    assert "<s><strong>Anna Li" in page
    assert "Changed since it was signed" in page
    assert re.search(r'class="ec-old">120</td><td>121</td>', page)
    assert "Anna Li" in anna.get(f"{HERE}/sign").text
    for other in (people.CARL, people.DORA, people.MONA):
        assert visitor(other).get(f"{HERE}/sign").status_code == 403
    assert visitor(people.BO).get(f"{HERE}/sign").status_code == 404
