"""The pages of the lock, of exports and of the ledger, over HTTP."""

import io
import zipfile

import pytest
from pypdf import PdfReader

from ecrf.kernel import keys
from ecrf.kernel.access import RIGHTS, Right, Role
from forms import scope
from tests import people
from tests.forms.conftest import desk, running  # noqa: F401 (fixtures)
from tests.forms.test_locking import clean  # noqa: F401 (a fixture)
from tests.forms.trial import STUDY_ID

BASE = f"/{STUDY_ID}"


@pytest.fixture(autouse=True)
def signing_key(config):
    keys.make(config.signing_key_file, lambda: b"7" * 32)


def _send(who, act, **named):
    data = {"act": act, "reason": "all clean", "password": people.PASSWORD, **named}
    return who.post(f"{BASE}/locks", data)


def test_every_blocker_is_a_link_to_its_page(desk, visitor):  # noqa: F811
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    page = visitor(people.DORA).get(f"{BASE}/locks").text
    base = f"{BASE}/participants/PUMCH-001/visits"
    assert f'href="{base}/SCR/vs#sbp"' in page
    assert f'href="{base}/SCR/dm"' in page
    assert "1 in the way" in page
    assert ">Lock: " not in page
    assert ">Ask for the lock: " not in page
    assert "PUMCH-001 · Screening · Vital signs" in page


def test_the_links_of_blockers_lead_to_pages(desk, visitor):  # noqa: F811
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    who = visitor(people.DORA)
    page = who.get(f"{BASE}/locks").text
    links = {part.split('"')[0] for part in page.split('href="')[1:]}
    pages = {link.split("#")[0] for link in links if "/participants/" in link}
    assert len(pages) > 3
    assert {who.get(link).status_code for link in pages} == {200}


def test_a_clean_study_is_locked_exported_checked_and_unlocked_by_another(clean, visitor):  # noqa: F811
    dora, dirk = visitor(people.DORA), visitor(people.DIRK)
    assert _send(dora, "ask").status_code == 303
    assert _send(dora, "lock").status_code == 403
    assert "Dora Chen asked for the lock" in dirk.get(f"{BASE}/locks").text
    assert _send(dirk, "lock").status_code == 303
    assert "Nothing can be changed." in dora.get(f"{BASE}/locks").text
    assert dora.post(f"{BASE}/exports", {"lock": "1"}).status_code == 303
    name = f"lock-{STUDY_ID}-1-blinded.zip"
    listed = dora.get(f"{BASE}/exports").text
    assert name in listed
    taken = dirk.get(f"{BASE}/exports/{name}", buffered=True)
    assert taken.status_code == 200
    assert zipfile.ZipFile(io.BytesIO(taken.data)).testzip() is None
    assert "is good" in dora.get(f"{BASE}/exports/{name}/check").text
    for locale, word in (("en", "Certificate of lock 1"), ("zh", "锁定证书")):
        answer = dora.get(f"{BASE}/locks/1/certificate.pdf?lang={locale}")
        pages = PdfReader(io.BytesIO(answer.data)).pages
        printed = "".join(page.extract_text() for page in pages)
        assert word in printed
        assert "Dora Chen" in printed
        assert "Dirk Yang" in printed
    dora.get(f"{BASE}/locks?lang=en")
    wrong = _send(dora, "unlock", until="soon")
    assert wrong.status_code == 422
    assert "such as 2026-03-05 18:00" in wrong.text
    asked = _send(dora, "unlock", until="2026-03-04 18:00", participant="PUMCH-001")
    assert asked.headers["Location"] == f"{BASE}/unlocks/1?done=1"
    decide = {"act": "approve", "password": people.PASSWORD}
    assert "Approve and unlock" not in dora.get(f"{BASE}/unlocks/1").text
    assert dora.post(f"{BASE}/unlocks/1", decide).status_code == 403
    assert dirk.post(f"{BASE}/unlocks/1", decide).status_code == 303
    clean.save({"sbp": "121"}, "SCR", "vs", reason="typing error", complete=True)
    page = dora.get(f"{BASE}/unlocks/1").text
    assert "<del>120</del> → <ins>121</ins>" in page
    assert "typing error" in page
    relock = {"act": "relock", "password": people.PASSWORD, "reason": "corrected"}
    assert dora.post(f"{BASE}/unlocks/1", relock).status_code == 409
    assert dora.post(f"{BASE}/exports", {"lock": "1"}).status_code == 409


def test_a_package_damaged_on_disk_is_told_on_the_spot(clean, visitor, config):  # noqa: F811
    dora = visitor(people.DORA)
    dora.post(f"{BASE}/exports", {"lock": "now"})
    (path,) = (config.data_dir / "packages").glob("*.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    page = dora.get(f"{BASE}/exports/{path.name}/check").text
    assert "is not good" in page
    assert path.name in page


def test_a_wrong_password_locks_nothing(clean, visitor):  # noqa: F811
    who = visitor(people.DORA)
    answer = _send(who, "lock", password="wrong")
    assert answer.status_code == 403
    assert "Sites may enter and change data." in who.get(f"{BASE}/locks").text


def test_a_refused_lock_lists_what_is_in_the_way(desk, visitor):  # noqa: F811
    answer = _send(visitor(people.DORA), "lock")
    assert answer.status_code == 409
    assert "stand in the way" in answer.text
    assert "/participants/PUMCH-001/visits/SCR/dm" in answer.text


def test_one_participant_is_frozen_from_its_page_and_the_freeze_lifted(clean, visitor):  # noqa: F811
    who = visitor(people.DORA)
    assert _send(who, "freeze", participant="PUMCH-001").status_code == 303
    page = who.get(f"{BASE}/locks?participant=PUMCH-001").text
    assert "Sites may no longer change data" in page
    assert "Lift the freeze" in page
    assert _send(who, "lift", participant="PUMCH-001").status_code == 303


def test_what_is_ticked_is_waived_with_a_reason_and_shown(desk, visitor):  # noqa: F811
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    who, named = visitor(people.DORA), {"participant": "PUMCH-001"}
    page = who.get(f"{BASE}/locks?participant=PUMCH-001").text
    marks = [part.split('"')[0] for part in page.split('name="mark" value="')[1:]]
    assert _send(who, "waive", mark=marks[0], **named).status_code == 303
    after = who.get(f"{BASE}/locks?participant=PUMCH-001").text
    assert "Waived:" in after
    assert after.count('name="mark"') == len(marks) - 1


@pytest.mark.req("L2")
@pytest.mark.parametrize(
    ("rights", "shown"),
    [
        ({Right.DATA_FREEZE}, ({"freeze"}, {"freeze"})),
        ({Right.DATA_FREEZE, Right.DATA_LOCK}, ({"freeze", "lock"}, {"freeze"})),
        (
            {Right.DATA_FREEZE, Right.DATA_LOCK, Right.DATA_LOCK_WHOLE},
            ({"freeze", "lock"}, {"freeze", "lock"}),
        ),
    ],
)
def test_each_level_of_rights_hides_what_it_does_not_allow(
    clean, visitor, monkeypatch, rights, shown,  # noqa: F811
):  # fmt: skip
    """L2: none (403, below), lock, lock and sign, whole record."""
    base = RIGHTS[Role.DATA_MANAGER] - {
        Right.DATA_FREEZE, Right.DATA_LOCK, Right.DATA_LOCK_WHOLE,
    }  # fmt: skip
    monkeypatch.setitem(RIGHTS, Role.DATA_MANAGER, base | rights)
    who = visitor(people.DORA)
    entry = {"participant": "PUMCH-001", "visit": "BL", "form": "vs"}
    for named, wanted in zip((entry, {"participant": "PUMCH-001"}), shown, strict=True):
        query = "&".join(f"{key}={value}" for key, value in named.items())
        page = who.get(f"{BASE}/locks?{query}").text
        found = {part.split('"')[0] for part in page.split('name="act" value="')[1:]}
        assert found == wanted
        if "lock" not in wanted:
            assert _send(who, "lock", **named).status_code == 403


def test_the_ledger_check_runs_when_asked(clean, visitor):  # noqa: F811
    page = visitor(people.DORA).get(f"{BASE}/locks?ledger=1").text
    assert "Ledger not as written" in page
    assert "Check now" not in page


@pytest.mark.parametrize("path", ["locks", "exports"])
@pytest.mark.parametrize("actor", [people.ANNA, people.MONA, people.ALMA])
def test_only_data_managers_lock_and_export(running, visitor, path, actor):  # noqa: F811
    assert visitor(actor).get(f"{BASE}/{path}").status_code == 403


def test_the_ledger_shows_who_did_what_before_after_and_why(clean, visitor):  # noqa: F811
    page = visitor(people.AUDREY).get(f"{BASE}/ledger?participant=PUMCH-001").text
    assert "Carl Wu" in page
    assert "form signed" in page
    assert "not eligible" in page
    assert "PUMCH-001 · Baseline · Vital signs" in page
    assert "as written" not in page
    checked = visitor(people.AUDREY).get(f"{BASE}/ledger?participant=PUMCH-001&check=1").text
    assert "Checked: as written" in checked


def test_the_ledger_is_filtered_by_person_and_act(clean, visitor):  # noqa: F811
    who = visitor(people.AUDREY)
    signed = who.get(f"{BASE}/ledger?action=entry:sign").text
    assert signed.count("<td>form signed</td>") == 2
    assert "<td>form saved</td>" not in signed
    carl = who.get(f"{BASE}/ledger?person={people.CARL.id}").text
    assert carl.count("<td>form saved</td>") == 4
    assert "<td>form signed</td>" not in carl


def test_the_ledger_is_read_page_by_page_without_losing_an_act(clean, visitor, monkeypatch):  # noqa: F811
    from ecrf.web import ledger

    who = visitor(people.AUDREY)
    whole = who.get(f"{BASE}/ledger").text.count("<code>")
    monkeypatch.setattr(ledger, "PAGE", 4)
    path, seen = f"{BASE}/ledger", 0
    for _ in range(20):
        page = who.get(path).text
        seen += page.count("<code>")
        if 'rel="next"' not in page:
            break
        query = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        path = f"{BASE}/ledger{query}"
    assert seen == whole > 12


def test_a_site_sees_its_own_chains_alone(clean, visitor):  # noqa: F811
    page = visitor(people.BO).get(f"{BASE}/ledger").text
    assert "BFH-001" in page
    assert "PUMCH-001" not in page
    other = visitor(people.BO).get(f"{BASE}/ledger?participant=PUMCH-001")
    assert other.status_code == 404


def test_a_casebook_is_printed_in_both_languages_and_written_down(clean, visitor):  # noqa: F811
    anna = visitor(people.ANNA)
    path = f"{BASE}/participants/PUMCH-001/casebook.pdf"
    for locale in ("en", "zh"):
        answer = anna.get(f"{path}?lang={locale}")
        assert answer.mimetype == "application/pdf"
        assert len(PdfReader(io.BytesIO(answer.data)).pages) >= 5
    assert anna.get(path.replace("PUMCH-001", "BFH-001")).status_code == 404
    page = visitor(people.AUDREY).get(f"{BASE}/ledger?action=data:export").text
    assert page.count("<td>exported</td>") == 2


def test_the_scope_of_a_page_is_the_scope_of_the_lock(clean):  # noqa: F811
    with clean.database.read() as session:
        found = scope.find(
            session, people.DORA, Right.DATA_FREEZE, STUDY_ID, participant="PUMCH-001",
            visit="BL", form="vs",
        )  # fmt: skip
    assert found.name == "PUMCH-001 BL VS"
