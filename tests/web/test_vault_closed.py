"""The vault app's closed reports, reads, CONSORT and alarm, over HTTP."""

import csv
import io
import re

import pytest
from sqlalchemy import select

from ecrf.kernel import outbox
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.study.closed import Closed
from randomization import api
from randomization.closed import api as closed
from tests.people import ANNA, AUDREY, BEA, DORA, NOON, PASSWORD, PAUL, SAM, STAN, STUDY
from tests.randomization.closed.test_closed import acts, refuse_acts
from tests.web.test_randomize import (  # noqa: F401
    CODE,
    LAST,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    trial,
    unblinded,
    vault_app,
)

HOME = f"/vault/{STUDY}"
REPORTS = f"{HOME}/closed"
ARM = re.compile(r"\b(MMF|PBO)\b|mycophenolate|placebo", re.IGNORECASE)
NAMED = {"cut_off": "2026-03-02", "purpose": "Board 1", "labels": "named"}


@pytest.fixture
def randomized(trial, visitor):  # noqa: F811
    """PUMCH-001 is randomized."""
    assert confirm(visitor(ANNA)).status_code == 303


def rows(of):
    """Return every row of every table of the main database."""
    with of.read() as session:
        return {
            name: sorted(map(repr, session.execute(select(table))))
            for name, table in outbox.Outgoing.metadata.tables.items()
        }


@pytest.mark.req("L18", "AT-13")
def test_a_report_is_made_read_printed_and_released_to_the_board(
    randomized, unblinded, opened  # noqa: F811
):  # fmt: skip
    stan, bea = unblinded(STAN), unblinded(BEA)
    assert "There is no closed report yet." in stan.get(REPORTS).text
    assert "Make a report" not in bea.get(REPORTS).text
    made = stan.post(REPORTS, NAMED)
    assert made.headers["Location"] == f"{REPORTS}/1"
    page = stan.get(f"{REPORTS}/1")
    assert page.headers["Cache-Control"] == "no-store"
    assert "CONFIDENTIAL – UNBLINDED · Stan Luo" in page.text
    assert ARM.search(page.text)
    assert bea.get(f"{REPORTS}/1").status_code == 404
    wrong = stan.post(f"{REPORTS}/1", {"act": "release", "password": "wrong"})
    assert wrong.status_code == 403
    assert bea.get(f"{REPORTS}/1").status_code == 404
    release = {"act": "release", "password": PASSWORD}
    assert stan.post(f"{REPORTS}/1", release).status_code == 303
    assert bea.post(f"{REPORTS}/1", release).status_code == 403
    assert "Disposition" in bea.get(f"{REPORTS}/1").text
    assert bea.get(f"{REPORTS}/1.pdf").data.startswith(b"%PDF-")
    lines = list(csv.DictReader(io.StringIO(bea.get(f"{REPORTS}/1.csv").text)))
    randomized_ = {x["arm"]: x["value"] for x in lines if x["row"] == "Randomized"}
    assert randomized_["all"] == "1"
    assert sorted(randomized_[arm] for arm in ("MMF", "PBO")) == ["0", "1"]
    read = [act["refs"].get("form") for act in acts(opened) if act["actor"] == BEA.id]
    assert read == ["page", "pdf", "csv"]


def test_a_coded_report_shows_no_arm_until_its_codes_are_asked_for(
    randomized, unblinded, opened  # noqa: F811
):  # fmt: skip
    stan = unblinded(STAN)
    stan.post(REPORTS, {**NAMED, "labels": "coded"})
    page = stan.get(f"{REPORTS}/1").text
    assert "Arm A" in page and "Arm B" in page
    assert not ARM.search(page)
    assert not ARM.search(stan.get(f"{REPORTS}/1.csv").text)
    resolved = stan.post(f"{REPORTS}/1", {"act": "codes"}).text
    assert ARM.search(resolved)
    assert [act["action"] for act in acts(opened)][-2:] == ["closed:codes", "closed:read"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"cut_off": "2026-03-03"}, "The cut-off cannot lie in the future."),
        ({"cut_off": "soon"}, "Write the day as 2026-03-05."),
        ({"purpose": " "}, "Say in 1 to 400 characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    randomized, unblinded, sent, says  # noqa: F811
):  # fmt: skip
    page = unblinded(STAN).post(REPORTS, {**NAMED, "purpose": "Board 7", **sent})
    assert page.status_code == 422
    assert says in page.text
    if "purpose" not in sent:
        assert "Board 7" in page.text


def test_nobody_else_comes_near_a_closed_report(randomized, unblinded, visitor, app):  # noqa: F811
    unblinded(STAN).post(REPORTS, NAMED)
    for actor in (ANNA, DORA, PAUL, SAM, AUDREY):
        stranger = unblinded(actor)
        for path in (REPORTS, f"{REPORTS}/1", f"{REPORTS}/1.pdf", f"{REPORTS}/1.csv"):
            assert stranger.get(path).status_code == 403
        assert stranger.post(REPORTS, NAMED).status_code == 403
    assert unblinded(BEA).post(REPORTS, NAMED).status_code == 403
    assert not [rule for rule in app.url_map.iter_rules() if "closed" in rule.rule]


@pytest.mark.req("BL-03")
def test_making_and_reading_reports_changes_nothing_on_the_blinded_side(
    randomized, unblinded, database, opened  # noqa: F811
):  # fmt: skip
    stan = unblinded(STAN)
    before = rows(database)
    stan.post(REPORTS, NAMED)
    for path in (REPORTS, f"{REPORTS}/1", f"{REPORTS}/1.pdf", f"{REPORTS}/1.csv",
                 f"{HOME}/reads", f"{HOME}/consort", f"{HOME}/unblinding"):  # fmt: skip
        assert stan.get(path).status_code == 200
    assert rows(database) == before


SHOWS = {
    f"{HOME}/participants/{CODE}/BL": (PAUL, "get", {}),
    f"{REPORTS}/1": (STAN, "get", {}),
    f"{REPORTS}/1.pdf": (STAN, "get", {}),
    f"{REPORTS}/1.csv": (STAN, "get", {}),
    f"{REPORTS}/1?codes": (STAN, "post", {"act": "codes"}),
    REPORTS: (STAN, "post", NAMED),
    f"{HOME}/consort": (STAN, "get", {}),
    f"{HOME}/consort.txt": (STAN, "get", {}),
    f"{HOME}/code-break": (ANNA, "post", {
        "step": "3", "code": CODE, "why": "overdose", "reason": "Took all", **LAST,
    }),
}  # fmt: skip
"""Every way of the vault app that shows an arm, or how the list restricts chance."""


@pytest.mark.req("AT-13")
@pytest.mark.parametrize("path", SHOWS)
def test_every_page_that_shows_an_arm_has_written_its_act_before(
    randomized, unblinded, opened, path  # noqa: F811
):  # fmt: skip
    unblinded(STAN).post(REPORTS, NAMED)
    actor, method, sent = SHOWS[path]
    person = unblinded(actor)
    before = len(acts(opened))
    answer = getattr(person, method)(path, **({"data": sent} if sent else {}))
    assert answer.status_code in (200, 303)
    mine = [act for act in acts(opened)[before:] if act["actor"] == actor.id]
    known = {act["action"] for act in mine} & set(closed.KINDS)
    assert known, f"{path} left no act of a read"


@pytest.mark.req("AT-13")
@pytest.mark.parametrize("path", SHOWS)
def test_no_record_means_no_answer(randomized, unblinded, opened, path):  # noqa: F811
    unblinded(STAN).post(REPORTS, NAMED)
    actor, method, sent = SHOWS[path]
    person = unblinded(actor)
    refuse_acts(opened)
    answer = getattr(person, method)(path, **({"data": sent} if sent else {}))
    assert answer.status_code >= 500
    assert not ARM.search(answer.text)
    assert "disk full" not in answer.text
    assert "4, 6" not in answer.text


def test_no_way_that_opens_arms_is_missing_from_the_table(vault_app):  # noqa: F811
    """A page whose right unblinds is in the table, or is known to show numbers only."""
    numbers_only = {
        "vault.waiting", "vault.hand_out", "vault_closed.show", "vault_closed.act",
        "vault_unblinding.bundle", "vault_answers.listing", "vault_preparing.listing",
        "vault_preparing.ask", "vault_lists.specify",
    }  # fmt: skip
    elsewhere = {
        "vault_answers.receive": "tests/web/test_code_break.py",
        "vault_preparing.show": "tests/web/test_vault_preparing.py",
    }
    opening = {"treatment:read", "closed:read", "closed:make", "preparation:read",
               "break:receive", "list:manage"}  # fmt: skip
    adapter = vault_app.url_map.bind("localhost")
    tried = {adapter.match(path.partition("?")[0], method=how.upper())[0]
             for path, (_, how, _) in SHOWS.items()}  # fmt: skip
    found = {
        name for name, view in vault_app.view_functions.items()
        if str(getattr(view, "needs", "")) in opening
    }  # fmt: skip
    assert found - numbers_only - set(elsewhere) <= tried


@pytest.mark.req("AT-13", "BL-08")
def test_the_record_of_reads_names_people_and_no_arm(randomized, unblinded):  # noqa: F811
    unblinded(PAUL).get(f"{HOME}/participants/{CODE}/BL")
    unblinded(STAN).post(REPORTS, NAMED)
    for reader in (STAN, AUDREY):
        page = unblinded(reader).get(f"{HOME}/reads").text
        assert "Paul Sun" in page and CODE in page and "Preparation" in page
        assert not ARM.search(page)
    text_ = unblinded(AUDREY).get(f"{HOME}/reads.csv").text
    lines = list(csv.DictReader(io.StringIO(text_)))
    assert [line["read"] for line in lines] == ["closed:open", "reveal:preparation"]
    assert not ARM.search(text_)
    for stranger in (ANNA, DORA, BEA, PAUL):
        assert unblinded(stranger).get(f"{HOME}/reads").status_code == 403


@pytest.fixture
def two_reads_a_day(monkeypatch):
    """The study in force allows two reads a day."""
    from ecrf.web.vault.oversight import reads

    real = reads.versions.in_force

    def strict(session, study):
        found, fingerprint = real(session, study)
        return found.model_copy(update={"closed": Closed(reads_per_day=2)}), fingerprint

    monkeypatch.setattr(reads.versions, "in_force", strict)


def test_who_looks_at_too_many_arms_in_a_day_is_reported_once_without_an_arm(
    randomized, unblinded, database, opened, two_reads_a_day  # noqa: F811
):  # fmt: skip
    paul = unblinded(PAUL)
    for times in range(4):
        with database.read() as session:
            told = session.scalars(select(outbox.Outgoing.text_en)).all()
        assert len(told) == (1 if times > 2 else 0)
        assert paul.get(f"{HOME}/participants/{CODE}/BL").status_code == 200
    with database.read() as session:
        (row,) = session.execute(select(outbox.Outgoing.__table__)).all()
    assert (row.right, row.path) == ("reads:read", f"{HOME}/reads")
    assert "one person in one day: 3." in row.text_en
    assert not ARM.search(str(row)) and CODE not in str(row)
    assert [act["action"] for act in acts(opened)].count("reads:alarm") == 1


def test_an_alarm_that_could_not_be_told_is_told_at_the_next_read(
    randomized, unblinded, database, opened, two_reads_a_day, monkeypatch  # noqa: F811
):  # fmt: skip
    from sqlalchemy.exc import OperationalError

    paul = unblinded(PAUL)

    def down(*_):
        raise OperationalError("insert", {}, OSError("the disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "put", down)
        for _ in range(3):
            assert paul.get(f"{HOME}/participants/{CODE}/BL").status_code == 200
    assert "reads:alarm" not in [act["action"] for act in acts(opened)]
    assert paul.get(f"{HOME}/participants/{CODE}/BL").status_code == 200
    with database.read() as session:
        assert len(session.scalars(select(outbox.Outgoing.id)).all()) == 1
    assert [act["action"] for act in acts(opened)].count("reads:alarm") == 1


@pytest.mark.req("EX-08", "RZ-02", "L3")
def test_consort_is_told_to_blinded_roles_without_sizes_of_blocks(
    randomized, unblinded, opened  # noqa: F811
):  # fmt: skip
    unblinded(PAUL).get(f"{HOME}/participants/{CODE}/BL")
    before = len(acts(opened))
    for reader in (DORA, AUDREY):
        said = unblinded(reader).get(f"{HOME}/consort.txt").text
        assert "4, 6" not in said and "sizes" not in said
        assert "Reads of the list or of an arm: 1, by Paul Sun." in said
        assert "no one in common" in said
    assert len(acts(opened)) == before, "nothing was opened for them"
    assert "sizes: 4, 6" in unblinded(STAN).get(f"{HOME}/consort.txt").text
    assert unblinded(ANNA).get(f"{HOME}/consort").status_code == 403


def test_an_enroller_who_read_an_arm_is_named_as_an_exception(
    randomized, unblinded, opened  # noqa: F811
):  # fmt: skip
    from ecrf.kernel.access import Actor, Grant, Role

    anna = Actor(ANNA.id, ANNA.name, frozenset({Grant(STUDY, Role.PHARMACIST, "PUMCH")}))
    by = By(anna, NOON, Origin.PAGE, Seeded(b"both"))
    api.for_preparation(opened, by, STUDY, "PUMCH", [CODE])
    said = unblinded(STAN).get(f"{HOME}/consort").text
    assert "Exception: Anna Li enrolled or assigned" in said
