"""The code break over HTTP: in three steps, sent to somebody, while the main side is down."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import OperationalError

from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import LEDGER, By, Origin, participant_chain
from ecrf.kernel.outbox import Outgoing
from ecrf.kernel.people import Person
from ecrf.study import versions
from ecrf.web.vault import app as vault
from ecrf.web.vault.breaking import carrying, mirroring
from forms.tables import Entry
from forms.unblinded.tables import CodeBreak
from randomization import lists, reveal
from randomization.breaking import api as breaking
from randomization.breaking.tables import BreakCall, BreakCarried, Guess, Mirror
from randomization.tables import Reveal
from tests.people import (
    ALMA,
    ANNA,
    AUDREY,
    BO,
    CARL,
    DORA,
    MAX,
    MONA,
    NOON,
    PASSWORD,
    PAUL,
    SAM,
    STUDY,
)  # fmt: skip
from tests.web.conftest import Visitor
from tests.web.test_randomize import (  # noqa: F401
    BREAK,
    CODE,
    LAST,
    SENT,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    trial,
    unblinded,
    vault_app,
)  # fmt: skip
from visits.tables import Participant, Visit

ARM = re.compile(r"\b(MMF|PBO)\b")
THREE = {"step": "3", **SENT, **LAST}
EMERGENCY = "/vault/code-break/emergency"
WORKER = By(ALMA, NOON, Origin.JOB, Seeded(b"worker"))


@pytest.fixture
def given(trial, visitor):  # noqa: F811
    """One participant of PUMCH who is randomized."""
    confirm(visitor(ANNA))
    return trial


def rows(database, *columns):  # noqa: F811
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


def arms(answer):
    return set(ARM.findall(answer.get_data(as_text=True)))


def ref(number):
    return f"{number:016x}"


@pytest.mark.req("BL-06", "L17")
def test_a_break_leaves_flag_notice_task_and_act_and_no_arm(given, unblinded, opened):  # noqa: F811
    shown = unblinded(ANNA).post(
        BREAK, {**THREE, "contacted": "Y", "telephone": "+86 10 6915 0000"}
    )
    assert len(arms(shown)) == 1
    assert shown.headers["Cache-Control"] == "no-store"
    (row,) = rows(
        given, CodeBreak.kind, CodeBreak.way, CodeBreak.why, CodeBreak.by_name, CodeBreak.at,
        CodeBreak.contacted, CodeBreak.telephone, CodeBreak.due_on, CodeBreak.assessed_at,
    )  # fmt: skip
    assert row == (
        "emergency", "page", "overdose", "Anna Li", NOON, True, "+86 10 6915 0000",
        NOON.date() + timedelta(days=7), None,
    )  # fmt: skip
    ((right, en, zh),) = rows(given, Outgoing.right, Outgoing.text_en, Outgoing.text_zh)
    assert right == "break:read"
    assert CODE in en and "Anna Li" in en and "Overdose" in en
    assert not ARM.search(en + zh)
    assert "Took sixty capsules" not in en
    assert rows(given, Participant.unblinded_at) == [(NOON,)]
    assert rows(opened.database, BreakCall.ref) == [(LAST["ref"],)]


def test_the_same_page_sent_again_shows_nothing_and_a_second_look_is_a_second_break(
    given, unblinded, opened  # noqa: F811
):  # fmt: skip
    anna = unblinded(ANNA)
    anna.post(BREAK, THREE)
    again = anna.post(BREAK, THREE)
    assert again.status_code == 409
    assert "is not shown again" in again.get_data(as_text=True)
    assert not arms(again)
    assert len(arms(anna.post(BREAK, {**THREE, "ref": ref(2)}))) == 1
    assert rows(opened.database, func.count(Reveal.id)) == [(2,)]
    assert rows(given, func.count(CodeBreak.id)) == [(2,)]


@pytest.mark.req("AT-13")
def test_when_the_vault_cannot_write_it_down_nothing_is_shown_nor_flagged(
    given, unblinded, opened, monkeypatch  # noqa: F811
):  # fmt: skip
    def fail(*_):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    def never(*_):
        pytest.fail("an arm was opened")

    monkeypatch.setattr(reveal.LEDGER, "write", fail)
    monkeypatch.setattr(lists, "arm_on", never)
    shown = unblinded(ANNA).post(BREAK, THREE)
    assert shown.status_code == 503
    assert not arms(shown)
    assert rows(opened.database, Reveal.id) == rows(opened.database, BreakCall.ref) == []
    assert rows(given, CodeBreak.id) == []
    assert rows(given, Participant.unblinded_at) == [(None,)]


def test_the_blinded_side_failing_after_the_disclosure_is_healed_by_the_worker_once(
    given, unblinded, opened, monkeypatch  # noqa: F811
):  # fmt: skip
    """The vault has disclosed; the main side's commit fails; the sweeper writes it down."""
    from ecrf.web.vault.breaking import usual

    def burn(*_, **__):
        raise RuntimeError("the process dies")

    with monkeypatch.context() as patched:
        patched.setattr(usual, "render_template", burn)
        assert unblinded(ANNA).post(BREAK, THREE).status_code == 500
    assert rows(given, CodeBreak.id) == []
    assert carrying.carry(given, opened, WORKER) == 1
    assert carrying.carry(given, opened, WORKER) == 0
    assert rows(given, CodeBreak.ref, CodeBreak.by_name) == [(LAST["ref"], "Anna Li")]
    assert rows(given, func.count(Outgoing.id)) == [(1,)]


def test_what_the_request_has_written_is_not_carried_over_again(given, unblinded, opened):  # noqa: F811
    unblinded(ANNA).post(BREAK, THREE)
    assert carrying.carry(given, opened, WORKER) == 0
    assert rows(given, func.count(CodeBreak.id)) == [(1,)]
    assert rows(opened.database, func.count(BreakCarried.call_id)) == [(1,)]


@pytest.mark.req("L15")
def test_a_treatment_named_in_the_text_is_asked_about_and_does_not_block(given, unblinded):  # noqa: F811
    anna = unblinded(ANNA)
    sent = {"step": "2", **SENT, "reason": "Agranulocytosis, mycophenolate suspected"}
    asked = anna.post(BREAK, sent)
    assert asked.status_code == 422
    assert "“mycophenolate” names a treatment" in asked.get_data(as_text=True)
    assert 'name="reason_seen"' in asked.get_data(as_text=True)
    assert "Step 3 of 3" in anna.post(BREAK, {**sent, "reason_seen": "1"}).text


def born(database, year):  # noqa: F811
    """Record the date of birth in the demographics of the screening."""
    with database.write() as session:
        visit = session.scalar(select(Visit.id).where(Visit.key == "SCR"))
        who = session.scalar(select(Participant.id))
        session.execute(insert(Entry).values(
            participant_id=who, visit_id=visit, form="dm", number=1,
            protocol=versions.in_force(session, STUDY)[1], status="complete", version=1,
            saved_at=NOON, saved_by=ANNA.id,
            answers={"brthdat": {"text": f"{year}-05-01", "value": f"{year}-05-01"}},
        ))  # fmt: skip


def test_another_year_of_birth_is_asked_about_without_telling_it_and_does_not_block(
    given, unblinded  # noqa: F811
):  # fmt: skip
    born(given, 1961)
    anna = unblinded(ANNA)
    sent = {"step": "1", "code": CODE, "born": "1971"}
    asked = anna.post(BREAK, sent)
    assert asked.status_code == 422
    assert "is another one" in asked.text
    assert "1961" not in asked.text
    assert "Step 2 of 3" in anna.post(BREAK, {**sent, "born_seen": "1"}).text
    assert "Step 2 of 3" in anna.post(BREAK, {**sent, "born": "1961"}).text
    assert "Step 2 of 3" in anna.post(BREAK, {**sent, "born": ""}).text
    assert anna.post(BREAK, {**sent, "born": "61"}).status_code == 422


def test_the_medical_monitor_breaks_at_any_site_the_pharmacist_nowhere(given, unblinded):  # noqa: F811
    assert len(arms(unblinded(MAX).post(BREAK, THREE))) == 1
    for actor in (PAUL, CARL, DORA, MONA, AUDREY):
        assert unblinded(actor).post(BREAK, THREE).status_code == 403
    assert unblinded(BO).post(BREAK, THREE).status_code == 404


@pytest.mark.req("BL-06", "BL-11")
def test_safety_reporting_tells_the_safety_officer_alone_and_leaves_the_site_blinded(
    given, unblinded, visitor, opened  # noqa: F811
):  # fmt: skip
    sam = unblinded(SAM)
    assert (
        "You alone learn the treatment"
        in sam.post(BREAK, {"step": "2", **SENT, "why": "safety reporting"}).text
    )
    assert sam.post(BREAK, {"step": "2", **SENT}).status_code == 422
    sent = {**THREE, "why": "safety reporting"}
    assert unblinded(ANNA).post(BREAK, sent).status_code == 422
    assert len(arms(sam.post(BREAK, sent))) == 1
    assert rows(opened.database, Reveal.purpose) == [("safety reporting",)]
    assert rows(given, Participant.unblinded_at) == [(None,)]
    assert rows(given, CodeBreak.kind) == [("safety reporting",)]
    assert rows(given, Outgoing.right) == [("break:assess",)]
    assert CODE not in visitor(ANNA).get(f"/{STUDY}/code-breaks").text
    assert CODE in visitor(MAX).get(f"/{STUDY}/code-breaks").text


@pytest.fixture
def sending(given, monkeypatch, study):
    """The study as one that sends answers to its safety officer."""
    rule = study.code_break.model_copy(update={"answer": "sent"})
    sends = study.model_copy(update={"code_break": rule})
    known = versions.in_force

    def in_force(session, study_id):
        found = known(session, study_id)
        return (sends, found[1]) if study_id == STUDY else found

    monkeypatch.setattr(versions, "in_force", in_force)
    return given


@pytest.mark.req("BL-06")
def test_an_answer_is_sent_to_the_named_person_who_opens_it_once(sending, unblinded, opened):  # noqa: F811
    anna, sam = unblinded(ANNA), unblinded(SAM)
    assert anna.post(BREAK, {"step": "2", **SENT}).status_code == 422
    sent = {**THREE, "telephone": "1234"}
    shown = anna.post(BREAK, sent)
    assert shown.status_code == 200
    assert "It is not shown here" in shown.text and "Sam Kong" in shown.text
    assert not arms(shown)
    page = f"/vault/{STUDY}/answers"
    assert anna.get(page).status_code == 403
    listed = sam.get(page)
    assert CODE in listed.text and "1234" in listed.text
    assert not arms(listed)
    ((number,),) = rows(opened.database, BreakCall.reveal_id)
    assert sam.post(f"{page}/{number}", {"password": "wrong"}).status_code == 403
    assert rows(opened.database, func.count(Reveal.id)) == [(1,)]
    answer = sam.post(f"{page}/{number}", {"password": PASSWORD})
    assert len(arms(answer)) == 1
    assert rows(opened.database, Reveal.purpose) == [("code break",), ("answer",)]
    assert sam.post(f"{page}/{number}", {"password": PASSWORD}).status_code == 409
    assert "Opened" in sam.get(page).text
    assert len(arms(sam.post(BREAK, {**THREE, "why": "safety reporting", "ref": ref(9)}))) == 1


def test_the_list_counts_by_site_and_shows_own_sites_only(given, unblinded, visitor):  # noqa: F811
    unblinded(ANNA).post(BREAK, THREE)
    page = f"/{STUDY}/code-breaks"
    for actor in (ANNA, DORA, MAX, AUDREY):
        text = visitor(actor).get(page).text
        assert CODE in text and "Overdose" in text and "Anna Li" in text
        assert not ARM.search(text)
    assert CODE not in visitor(BO).get(page).text
    for actor in (CARL, MONA):
        assert visitor(actor).get(page).status_code == 403
    table = visitor(AUDREY).get(page).text.split('id="counts"')[1]
    assert re.search(
        r"<th scope=\"row\">PUMCH</th><td>1</td><td>0</td><td>1</td><td>1</td>", table
    )
    assert re.search(
        r"<th scope=\"row\">BFH</th><td>0</td><td>0</td><td>0</td><td>0</td>", table
    )


SAID = {
    "learned": "The investigator, from the page", "measures": "Another assessor from now on",
    "decision": "contained", "username": "max", "password": PASSWORD,
}  # fmt: skip


@pytest.mark.req("BL-08")
def test_the_impact_is_assessed_with_a_signature_and_closes(given, unblinded, visitor):  # noqa: F811
    unblinded(ANNA).post(BREAK, THREE)
    max_ = visitor(MAX)
    assert "Unblindings to assess" in max_.get(f"/{STUDY}/").text
    ((number,),) = rows(given, CodeBreak.id)
    page = f"/{STUDY}/code-breaks/{number}"
    assert visitor(ANNA).post(page, SAID).status_code == 403
    told = {**SAID, "learned": "She knows it is MMF"}
    refused = max_.post(page, told)
    assert refused.status_code == 422
    assert "names a treatment" in refused.text and "She knows it is" in refused.text
    assert max_.post(page, {**SAID, "decision": ""}).status_code == 422
    assert max_.post(page, {**SAID, "password": "wrong"}).status_code == 403
    assert max_.post(page, SAID).status_code == 303
    assert max_.post(page, SAID).status_code == 409
    (row,) = rows(given, CodeBreak.decision, CodeBreak.assessed_by, CodeBreak.signature_id)
    assert row[:2] == ("contained", "Max Ding") and row[2]
    assert "Unblindings to assess" not in max_.get(f"/{STUDY}/").text
    with given.read() as session:
        (*_, last) = LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE))
    assert '"code-break:assess"' in last[3]


@pytest.mark.req("BL-09")
def test_entries_begun_after_the_break_are_marked_and_earlier_ones_are_not(
    given, visitor, unblinded, services  # noqa: F811
):  # fmt: skip
    path = f"/{STUDY}/participants/{CODE}/visits/LOG/unb"
    carl = visitor(CARL)
    sent = {"seen_version": "0", "act": "draft", "unb_requestor": "Nurse"}
    early = carl.post(f"{path}/1", sent)
    assert early.status_code == 303
    unblinded(ANNA).post(BREAK, THREE)
    with given.write() as session:
        before = NOON - timedelta(seconds=1)
        session.execute(update(Participant).values(unblinded_at=before))
    assert "Entered after unblinding" in carl.get(path).text
    with given.write() as session:
        session.execute(update(Participant).values(unblinded_at=NOON + timedelta(hours=1)))
    text = carl.get(path).text
    assert "Entered after unblinding" not in text
    assert "is not to ask what the treatment is" in text


def test_an_accidental_unblinding_on_the_form_raises_the_same_task_once(given, visitor):
    path = f"/{STUDY}/participants/{CODE}/visits/LOG/unb/1"
    sent = {
        "seen_version": "0", "act": "complete", "unb_when": "2026-03-02T10:00",
        "unb_requestor": "Nurse", "unb_reason": "ACCIDENTAL",
        "unb_explain": "A bottle of MMF was left open", "unb_learned": "STAFF",
        "unb_way": "LABEL", "unb_stopped": "N",
    }  # fmt: skip
    anna = visitor(ANNA)
    assert anna.post(path, sent).status_code == 303
    assert rows(given, CodeBreak.kind, CodeBreak.way) == [("accidental", "form")]
    assert "names a treatment" in anna.get(path.removesuffix("/1")).text
    assert rows(given, Participant.unblinded_at) == [(NOON,)]
    again = {**sent, "seen_version": "1", "unb_explain": "A bottle was left open",
             "reason_code": "other", "reason": "a word taken out"}  # fmt: skip
    assert anna.post(path, again).status_code == 303
    assert rows(given, func.count(CodeBreak.id)) == [(1,)]
    assert "names a treatment" not in anna.get(path.removesuffix("/1")).text


# While the main database is down


@pytest.fixture
def away(kind, services, tmp_path):
    """Services whose main database is not there: a moved file, a port nobody listens on."""
    url = f"sqlite:///{tmp_path / 'moved' / 'away.db'}"
    if kind == "postgresql":
        url = "postgresql+psycopg://nobody@127.0.0.1:9/ecrf"
    database = Database(url)  # noqa: F811
    yield replace(services, database=database)
    database.dispose()


@pytest.fixture
def dark(given, away, opened):  # noqa: F811
    """The vault app with the main database gone, after the worker's last round."""
    mirroring.mirror(given, opened, WORKER)
    return Visitor(vault.create(away, opened).test_client(), "")


NIGHT = {**THREE, "study": STUDY, "username": "anna"}


@pytest.mark.req("BL-07", "BC-02")
def test_with_the_main_database_down_the_code_is_broken_from_the_vault_alone(
    dark, given, opened  # noqa: F811
):  # fmt: skip
    assert dark.get("/vault/code-break").headers["Location"] == EMERGENCY
    one = dark.get(EMERGENCY)
    assert "The main database does not answer" in one.text
    assert "People and rights as of 2026-03-02 04:00 UTC" in one.text
    assert "Step 2 of 3" in dark.post(EMERGENCY, {"step": "1", "code": CODE}).text
    three = dark.post(EMERGENCY, {"step": "2", "study": STUDY, **SENT})
    assert "Step 3 of 3" in three.text and 'name="username"' in three.text
    shown = dark.post(EMERGENCY, NIGHT)
    assert shown.status_code == 200
    assert len(arms(shown)) == 1
    assert shown.headers["Cache-Control"] == "no-store"
    assert rows(opened.database, Reveal.participant, Reveal.by_name) == [(CODE, "Anna Li")]
    assert dark.post(EMERGENCY, NIGHT).status_code == 409
    assert rows(given, CodeBreak.id) == []
    later = replace(WORKER, at=NOON + timedelta(hours=3))
    assert carrying.carry(given, opened, later) == 1
    assert carrying.carry(given, opened, later) == 0
    assert rows(given, CodeBreak.way, CodeBreak.at, CodeBreak.known_at) == [
        ("emergency", NOON, NOON + timedelta(hours=3))
    ]
    assert rows(given, Participant.unblinded_at) == [(NOON,)]
    assert rows(given, func.count(Outgoing.id)) == [(1,)]


def test_a_step_sent_while_the_main_database_goes_away_turns_to_the_emergency_page(dark):
    turned = dark.post(BREAK, {"step": "2", **SENT})
    assert turned.status_code == 503
    assert "The main database does not answer" in turned.text and CODE in turned.text


def test_pages_that_need_the_main_database_say_where_to_turn(dark):
    page = dark.get(f"/vault/{STUDY}/")
    assert page.status_code in (401, 503)
    dark.client.set_cookie("ecrf_session", "x" * 64)
    page = dark.get(f"/vault/{STUDY}/")
    assert page.status_code == 503
    assert 'href="/vault/code-break"' in page.text


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"password": "wrong"}, 403),
        ({"username": "nobody"}, 403),
        ({"username": "carl"}, 403),
        ({"username": "bo"}, 404),
        ({"code": "PUMCH-999", "again": "PUMCH-999"}, 404),
        ({"again": "PUMCH-002"}, 422),
        ({"understood": ""}, 422),
        ({"why": "safety reporting"}, 422),
        ({"reason": " "}, 422),
        ({"study": "another"}, 403),
    ],
)
def test_nothing_of_it_can_be_left_out_at_night_either(dark, opened, other, status):  # noqa: F811
    refused = dark.post(EMERGENCY, {**NIGHT, **other})
    assert refused.status_code == status
    assert not arms(refused)
    assert rows(opened.database, Reveal.id) == []


def test_passwords_cannot_be_tried_for_long_and_unknown_names_wait_alike(dark, opened):  # noqa: F811
    for name in ("anna", "nobody"):
        for _ in range(5):
            assert (
                dark.post(EMERGENCY, {**NIGHT, "username": name, "password": "x"}).status_code
                == 403
            )
        assert dark.post(EMERGENCY, {**NIGHT, "username": name}).status_code == 429
    with opened.database.write() as session:
        session.execute(update(Guess).values(blocked_until=NOON))
    assert dark.post(EMERGENCY, NIGHT).status_code == 200
    assert rows(opened.database, func.count(Guess.name)) == [(1,)]


def test_who_has_left_before_the_last_copy_is_not_known_and_an_end_to_come_is_kept(
    given, away, opened  # noqa: F811
):  # fmt: skip
    with given.write() as session:
        session.execute(update(Person).where(Person.id == ANNA.id).values(active=False))
    mirroring.mirror(given, opened, WORKER)
    found = breaking.read(opened, STUDY)
    assert {one.username for one in found.copy.holders} == {"bo", "max", "sam"}
    dark = Visitor(vault.create(away, opened).test_client(), "")
    assert dark.post(EMERGENCY, NIGHT).status_code == 403


def test_the_copy_is_sealed_and_renewed_only_when_something_changed(given, opened):  # noqa: F811
    assert mirroring.mirror(given, opened, WORKER) == 1
    assert mirroring.mirror(given, opened, replace(WORKER, at=NOON + timedelta(1))) == 0
    ((content, at),) = rows(opened.database, Mirror.content, Mirror.at)
    assert at == NOON + timedelta(days=1)
    for word in (b"anna", b"argon2", b"MMF", b"mycophenolate"):
        assert word not in content


def test_while_the_main_database_answers_the_emergency_page_leads_to_the_usual_way(unblinded):  # noqa: F811
    nobody = unblinded(ANNA)
    assert nobody.get(EMERGENCY).headers["Location"] == "/vault/code-break"
    assert nobody.post(EMERGENCY, NIGHT).headers["Location"] == "/vault/code-break"
    foreign = nobody.post(EMERGENCY, NIGHT, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
