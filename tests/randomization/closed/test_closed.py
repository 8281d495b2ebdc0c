"""Closed reports in the vault: no record, no answer; sealed, released, read on the record."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unavailable
from randomization import api, lists, seal
from randomization.closed import api as closed
from randomization.closed.tables import ClosedReport
from randomization.opened import vault_chain
from randomization.tables import LEDGER
from tests.people import ANNA, AUDREY, BEA, DIRK, DORA, NOON, PAUL, STAN, STUDY
from tests.randomization.conftest import ARMS, STRATA, request_, who

CODES = ("PUMCH-001", "PUMCH-002", "PUMCH-003")
WANTED = closed.Wanted(STUDY, date(2026, 3, 1), "Board meeting 1", CODES)
CONTENT = {"format": "a report", "table": "ZZCANARY1 3 of 4"}


@pytest.fixture
def used(vault, anna):
    for n, code in enumerate(CODES):
        api.randomize(vault, anna, request_(code, STRATA[n % 2]))
    return vault


def made(vault, **other):
    given = {
        "study": STUDY, "cut_off": WANTED.cut_off, "labels": "coded", "purpose": "Board 1",
        "participants": 3, "definition": "f" * 64, "list_version": 1, "data": "0" * 64,
        "content": CONTENT, "codes": {"A": ARMS[1], "B": ARMS[0]},
    }  # fmt: skip
    return closed.keep(vault, who(STAN), closed.Made(**{**given, **other}))


def acts(vault):
    with vault.database.read() as session:
        rows = LEDGER.acts(session, chain_name=vault_chain(STUDY))
        return [json.loads(row[3]) for row in rows]


def refuse_acts(vault):
    """Let the vault's database take no act any more, as a full disk would."""
    with vault.database.write() as session:
        if vault.database.engine.dialect.name == "sqlite":
            session.execute(text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON act"
                " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            ))  # fmt: skip
            return
        session.execute(text(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'disk full'; END $$"
        ))  # fmt: skip
        session.execute(text(
            "CREATE TRIGGER full_disk BEFORE INSERT ON act"
            " FOR EACH ROW EXECUTE FUNCTION full_disk()"
        ))  # fmt: skip


@pytest.mark.req("L18", "AT-13")
def test_arms_are_opened_after_the_act_that_says_for_whom_and_what_for(used):
    opened = closed.arms(used, who(STAN), WANTED)
    assert set(opened.arms) == set(CODES)
    assert {arm.opened() for arm in opened.arms.values()} <= set(ARMS)
    assert opened.list_version == 1
    act = acts(used)[-1]
    assert (act["action"], act["actor"]) == ("closed:open", STAN.id)
    assert act["refs"] == {"cut_off": "2026-03-01", "participants": 3}
    assert not any(arm in json.dumps(act) for arm in ARMS)


@pytest.mark.req("AT-13")
def test_when_the_act_cannot_be_written_nothing_is_opened(used, monkeypatch):
    made(used)
    refuse_acts(used)
    touched = []
    for module, name in ((lists, "arm_on"), (seal, "unseal"), (seal, "unseal_arm")):
        monkeypatch.setattr(module, name, lambda *_: touched.append(1))
    for read in (
        lambda: closed.arms(used, who(STAN), WANTED),
        lambda: closed.read(used, who(STAN), STUDY, 1, "page"),
        lambda: closed.codes(used, who(STAN), STUDY, 1),
        lambda: closed.restriction(used, who(STAN), STUDY, 1),
    ):
        with pytest.raises(Unavailable) as refused:
            read()
        assert "This is not possible at the moment" in str(refused.value)
        assert "disk full" not in str(refused.value)
    assert touched == []


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("actor", [ANNA, PAUL, DORA, BEA, AUDREY])
def test_only_the_statistician_has_arms_opened(used, actor):
    before = len(acts(used))
    with pytest.raises(NotAllowed):
        closed.arms(used, who(actor), WANTED)
    with pytest.raises(NotAllowed):
        closed.restriction(used, who(actor), STUDY, 1)
    assert len(acts(used)) == before


def test_a_participant_who_is_on_no_list_gives_the_one_message(used):
    wanted = WANTED._replace(participants=(*CODES, "PUMCH-099"))
    with pytest.raises(Unavailable, match="not possible at the moment"):
        closed.arms(used, who(STAN), wanted)


@pytest.mark.req("L18")
def test_the_board_reads_a_report_once_it_is_released(used):
    assert made(used) == 1
    assert closed.listing(used, who(BEA), STUDY) == []
    with pytest.raises(NotFound):
        closed.read(used, who(BEA), STUDY, 1, "page")
    assert [act["action"] for act in acts(used)][-1] == "closed:make"
    closed.release(used, who(STAN), STUDY, 1)
    with pytest.raises(Conflict, match="released already"):
        closed.release(used, who(STAN), STUDY, 1)
    (kept,) = closed.listing(used, who(BEA), STUDY)
    assert (kept.number, kept.released_by) == (1, STAN.name)
    found, content = closed.read(used, who(BEA), STUDY, 1, "pdf")
    assert json.loads(content) == CONTENT
    assert found.digest == kept.digest
    last = acts(used)[-1]
    assert (last["action"], last["actor"]) == ("closed:read", BEA.id)
    assert last["refs"] == {"report": 1, "form": "pdf"}


def test_which_code_is_which_arm_is_a_read_of_its_own_and_not_the_boards(used):
    made(used)
    closed.release(used, who(STAN), STUDY, 1)
    with pytest.raises(NotAllowed):
        closed.codes(used, who(BEA), STUDY, 1)
    assert closed.codes(used, who(STAN), STUDY, 1) == {"A": ARMS[1], "B": ARMS[0]}
    assert acts(used)[-1]["action"] == "closed:codes"


@pytest.mark.req("BL-02")
def test_nothing_of_a_report_lies_in_clear_and_reports_are_equally_long(used):
    made(used)
    made(used, content={"format": "another", "table": "x" * 4000})
    with used.database.read() as session:
        rows = session.execute(select(ClosedReport.__table__)).all()
    stored = [bytes(row.content) + bytes(row.codes) for row in rows]
    assert len({len(part) for part in stored}) == 1
    shown = [str(row) for row in rows]
    for arm in ARMS:
        assert not any(arm.encode() in part for part in stored)
        assert not any(arm in part for part in shown)


def test_a_report_that_was_exchanged_is_not_shown(used):
    made(used)
    with used.database.write() as session:
        trigger = "closed_report_no_update"
        if used.database.engine.dialect.name == "sqlite":
            session.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            session.execute(text("ALTER TABLE closed_report DISABLE TRIGGER USER"))
        session.execute(text("UPDATE closed_report SET digest = 'x'"))
    with pytest.raises(Conflict, match="not the one that was made"):
        closed.read(used, who(STAN), STUDY, 1, "page")


@pytest.mark.req("AT-13", "BL-08")
def test_the_record_tells_who_looked_at_whose_arm_and_no_arm(used):
    api.for_preparation(used, who(PAUL), STUDY, "PUMCH", ["PUMCH-001"])
    api.code_break(used, who(ANNA), STUDY, "PUMCH", "PUMCH-002", api.Why.OVERDOSE, "ZZCANARY1?")
    closed.arms(used, who(STAN), WANTED)
    found = closed.record(used, who(AUDREY), STUDY)
    assert [(r.action, r.person, r.participant, r.why) for r in found] == [
        ("closed:open", STAN.id, "", ""),
        ("reveal:code break", ANNA.id, "PUMCH-002", "overdose"),
        ("reveal:preparation", PAUL.id, "PUMCH-001", ""),
    ]
    assert found[0].refs == {"participants": 3}
    assert "ZZCANARY" not in str(found), "what was written as a reason may name an arm"
    assert len(closed.record(used, who(STAN), STUDY, 2)) == 2
    for actor in (ANNA, PAUL, DORA, BEA):
        with pytest.raises(NotAllowed):
            closed.record(used, who(actor), STUDY)


def test_reads_are_counted_by_person_and_day_and_the_alarm_is_raised_once(used):
    api.for_preparation(used, who(PAUL), STUDY, "PUMCH", CODES)
    assert closed.count(used, STUDY, PAUL.id, NOON - timedelta(hours=1)) == 3
    assert closed.count(used, STUDY, ANNA.id, NOON - timedelta(hours=1)) == 0
    assert closed.count(used, STUDY, PAUL.id, NOON + timedelta(hours=1)) == 0
    assert not closed.alarmed(used, who(PAUL), STUDY, "2026-03-02")
    for day, reads in (("2026-03-02", 3), ("2026-03-02", 4), ("2026-03-03", 3)):
        closed.raise_alarm(used, who(PAUL), STUDY, day, reads)
        assert closed.alarmed(used, who(PAUL), STUDY, day)
    assert not closed.alarmed(used, who(STAN), STUDY, "2026-03-02")
    raised = [act for act in acts(used) if act["action"] == "reads:alarm"]
    assert [act["refs"]["reads"] for act in raised] == [3, 3]


@pytest.mark.req("RZ-02")
def test_what_everybody_may_know_of_a_list_has_no_sizes_of_blocks(used):
    found = closed.describe(used, STUDY)
    (known,) = found.lists
    assert (known.scheme, known.strata, known.allocated) == ("permuted_block", 3, 3)
    assert "sizes" not in str(found)
    assert [h.action for h in found.handling] == [
        "list:generate", "list:published", "list:active",
    ]  # fmt: skip
    assert found.head.size == len(acts(used))
    assert closed.restriction(used, who(STAN), STUDY, 1) == {"sizes": (4, 6)}
    assert acts(used)[-1]["action"] == "closed:specification"


def test_the_arms_of_a_bundle_are_those_of_the_vault(used):
    for signer in (DORA, DIRK):
        api.sign_unblinding(used, who(signer), STUDY, 1, "lock 1")
    bundle = json.loads(api.bundle(used, who(STAN), STUDY, 1))
    told = {t.participant: t.arm for t in closed.treatments(bundle)}
    opened = closed.arms(used, who(STAN), WANTED).arms
    assert told == {code: arm.opened() for code, arm in opened.items()}
    bundle["receipts"].pop()
    with pytest.raises(Conflict, match="not good"):
        closed.treatments(bundle)
