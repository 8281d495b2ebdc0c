"""The randomize page on the shipped trial, and the vault app's pages, over HTTP."""

import re
from datetime import date

import pytest
from sqlalchemy import insert, select, update

from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import LEDGER, By, Origin, participant_chain
from ecrf.kernel.people import Site
from ecrf.kernel.signatures import Signature
from ecrf.study import strata, versions
from ecrf.web import randomize
from ecrf.web.vault import app as vault
from forms.tables import Entry
from randomization import api, seal
from randomization.tables import Allocation, Kit, Reveal
from tests.databases import Prepared, fresh
from tests.people import ALMA, ANNA, BO, DORA, NOON, PASSWORD, PAUL, PETRA, STUDY
from visits import participants
from visits.tables import KitGiven, Participant, Visit

SPEC = {"scheme": "permuted_block", "options": {"sizes": (4, 6)}}
CODE = "PUMCH-001"
PAGE = f"/{STUDY}/participants/{CODE}/randomize"


@pytest.fixture(scope="session")
def listed_databases(tmp_path_factory, postgres_server, study):
    """Vaults with the trial's list and kits at PUMCH, arms named as the trial names them."""
    folder = tmp_path_factory.mktemp("listed")

    def make(database):
        api.create_tables(database)
        found = api.Vault(database, _keys(folder), "test")
        by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"ceremony"))
        ratio = tuple(study.randomization.ratio.items())
        spec = api.Spec(study=STUDY, version=1, environment="test", ratio=ratio, slots=20,
                        strata=strata.names(study), **SPEC)  # fmt: skip
        api.generate(found, by, spec)
        api.publish(found, by, STUDY, 1)
        api.activate(found, by, STUDY, 1)
        contents = {arm: 30 for arm, _ in ratio}
        packing = api.Packing(STUDY, "PUMCH", "P-001", date(2029, 1, 1), contents)
        api.register_kits(found, by, packing)

    return Prepared(folder / "listed.db", postgres_server, make)


def _keys(folder):
    return seal.make_keys(folder / "vault.key", Seeded(b"keys"))


@pytest.fixture
def opened(kind, listed_databases, tmp_path):
    url = listed_databases.copy(kind, tmp_path)
    database = Database(url, lasting=False)
    yield api.Vault(database, _keys(tmp_path), "test")
    database.dispose()
    listed_databases.discard(kind, url)


@pytest.fixture(scope="session")
def ready_databases(tmp_path_factory, trial_databases):
    """The shipped trial in force, with one participant of PUMCH ready to be randomized."""

    def make(database):
        with database.write() as session:
            study, fingerprint = versions.in_force(session, STUDY)
            anna = By(ANNA, NOON, Origin.PAGE, Seeded(b"enrol"))
            who = participants.enrol(session, anna, study, fingerprint, "PUMCH")
        make_ready(database, who.id, fingerprint)

    return trial_databases.further(tmp_path_factory.mktemp("ready") / "ready.db", make)


@pytest.fixture
def database(kind, ready_databases, tmp_path):
    yield from fresh(ready_databases, kind, tmp_path)


@pytest.fixture
def trial(database):
    return database


ANSWERS = {
    ("SCR", "icf"): {"icf_signed": "Y", "icf_date": "2026-02-20", "icf_version": "2.0"},
    ("SCR", "igh"): {"bg_is": "Y"},
    ("BL", "ie"): {"eligible": "Y"},
}


def make_ready(database, participant_id, fingerprint):
    """Store the three entries the rules read, the eligibility form signed."""
    with database.write() as session:
        signature = session.scalar(
            insert(Signature)
            .values(target="entry:1", version=1, content_hash="0" * 64, person_id=ANNA.id,
                    printed_name=ANNA.name, role="site investigator", meaning_en="I confirm.",
                    meaning_zh="确认。", at=NOON, zone="UTC")
            .returning(Signature.id)
        )  # fmt: skip
        for (visit, form), answers in ANSWERS.items():
            visit_id = session.scalar(
                select(Visit.id).where(
                    Visit.participant_id == participant_id, Visit.key == visit
                )
            )
            signed = {"signature_id": signature, "signed_version": 1} if form == "ie" else {}
            session.execute(
                insert(Entry).values(
                    participant_id=participant_id, visit_id=visit_id, form=form, number=1,
                    protocol=fingerprint, status="complete", version=1, saved_at=NOON,
                    saved_by=ANNA.id, **signed,
                    answers={k: {"text": v, "value": v} for k, v in answers.items()},
                )
            )  # fmt: skip


@pytest.fixture
def app(app, opened):
    randomize.connect(app, opened)
    return app


@pytest.fixture
def vault_app(services, opened):
    return vault.create(services, opened)


@pytest.fixture
def unblinded(vault_app, database, by):
    """Give `unblinded(actor)`: that person signed in at the vault app."""
    from ecrf.kernel import accounts
    from ecrf.web.routes import COOKIE
    from tests.web.conftest import Visitor

    def arrive(actor):
        client = vault_app.test_client()
        with database.write() as session:
            token, csrf = accounts.sign_in(session, by(actor), actor.id)
        client.set_cookie(COOKIE, token)
        return Visitor(client, csrf)

    return arrive


def confirm(visitor, **other):
    return visitor.post(PAGE, {"code": CODE, "password": PASSWORD, **other})


def stored(database):
    with database.read() as session:
        return session.execute(
            select(Participant.status, Participant.random_number, Participant.randomized_on,
                   Participant.receipt).where(Participant.code == CODE)
        ).one()  # fmt: skip


def test_what_must_be_so_is_listed_and_the_form_is_there_when_all_is(trial, visitor):
    page = visitor(ANNA).get(PAGE)
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "Consent is given and not withdrawn." in text
    assert "ec-status--overdue" not in text
    assert "Randomize now" in text


def test_a_participant_is_randomized_and_the_page_shows_numbers_and_no_arm(
    trial, visitor, opened
):
    anna = visitor(ANNA)
    assert confirm(anna).headers["Location"] == f"{PAGE}?done=1"
    row = stored(trial)
    assert row.status == "randomized"
    assert str(row.randomized_on) == "2026-03-02"
    text = anna.get(PAGE + "?done=1").get_data(as_text=True)
    assert row.random_number in text
    with trial.read() as session:
        kits = session.execute(select(KitGiven.number, KitGiven.status)).all()
        windows = session.scalars(select(Visit.target).where(Visit.key == "W4")).one()
        acts = list(LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE)))
    assert [kit.status for kit in kits] == ["assigned", "assigned"]
    assert all(kit.number in text for kit in kits)
    assert str(windows) == "2026-03-30"
    assert '"participant:randomize"' in acts[-1][3]
    assert not re.search(r"\b(MMF|PBO)\b", text + str(acts) + row.receipt)


def test_one_randomization_takes_eight_statements_here_and_five_in_the_vault(
    trial, opened, by, statements
):
    """Here question, asking, act; then head, participant, windows, kits, act."""
    from forms import randomizing

    with trial.write() as session:
        randomizing.find(session, by(ANNA), STUDY, CODE)
    with statements(trial) as here, statements(opened.database) as there:
        randomize.randomize_one(trial, by(ANNA), randomize.Client(opened), STUDY, CODE)
    assert len(there) == 5, there
    assert len(here) == 8, here


def test_pressing_twice_changes_nothing(trial, visitor):
    anna = visitor(ANNA)
    confirm(anna)
    before = stored(trial)
    assert confirm(anna).status_code == 303
    assert stored(trial) == before


def test_after_a_crash_between_the_two_asking_again_gives_the_same(
    trial, visitor, opened, monkeypatch
):
    anna = visitor(ANNA)
    with monkeypatch.context() as patched:

        def crash(*_):
            raise RuntimeError("power cut")

        patched.setattr(randomize.randomized, "store", crash)
        assert confirm(anna).status_code == 500
    assert stored(trial).random_number is None
    with opened.database.read() as session:
        given = session.scalars(select(Allocation.random_number)).one()
    assert confirm(anna).status_code == 303
    assert stored(trial).random_number == given
    with opened.database.read() as session:
        assert len(session.scalars(select(Allocation.id)).all()) == 1


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"code": "PUMCH-002"}, 422, "The code you typed is not PUMCH-001."),
        ({"code": ""}, 422, "The code you typed is not PUMCH-001."),
        ({"password": "wrong"}, 403, "The password is not right."),
    ],
)
def test_code_and_password_are_typed_again(trial, visitor, sent, status, says):
    page = confirm(visitor(ANNA), **sent)
    assert page.status_code == status
    assert says in page.get_data(as_text=True)
    assert stored(trial).random_number is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((Entry, {"signed_version": 0}, Entry.form == "ie"), "complete and signed"),
        ((Entry, {"version": 2}, Entry.form == "ie"), "complete and signed"),
        ((Entry, {"status": "draft"}, Entry.form == "ie"), "complete and signed"),
        ((Entry, {"answers": {"eligible": {"text": "N", "value": "N"}}}, Entry.form == "ie"),
         "every criterion is met"),
        ((Entry, {"answers": {}}, Entry.form == "icf"), "Consent is given"),
        ((Entry, {"answers": {}}, Entry.form == "igh"), "Known for stratification"),
        ((Participant, {"state": "frozen"}, Participant.code == CODE), "frozen or locked"),
        ((Participant, {"status": "screen failed"}, Participant.code == CODE), "in screening"),
    ],
)  # fmt: skip
def test_whatever_is_missing_is_named_and_nothing_happens(trial, visitor, opened, change, says):
    table, values, where = change
    with trial.write() as session:
        session.execute(update(table).where(where).values(**values))
    anna = visitor(ANNA)
    text = anna.get(PAGE).get_data(as_text=True)
    assert "Randomize now" not in text
    refused = confirm(anna)
    assert refused.status_code == 409
    assert says in refused.get_data(as_text=True)
    assert stored(trial).random_number is None
    with opened.database.read() as session:
        assert session.scalars(select(Allocation.id)).all() == []


def test_a_shut_site_randomizes_nobody(trial, visitor):
    with trial.write() as session:
        session.execute(update(Site).where(Site.code == "PUMCH").values(open=False))
    assert confirm(visitor(ANNA)).status_code == 409


def test_an_empty_shelf_gives_the_one_message_and_changes_nothing(trial, visitor, opened):
    with opened.database.write() as session:
        session.execute(update(Kit).values(state="quarantined"))
    page = confirm(visitor(ANNA))
    assert page.status_code == 503
    assert "This is not possible at the moment" in page.get_data(as_text=True)
    assert stored(trial).random_number is None


def test_another_sites_investigator_finds_nobody(trial, visitor):
    assert visitor(BO).get(PAGE).status_code == 404
    assert confirm(visitor(BO)).status_code == 404
    assert visitor(DORA).get(PAGE).status_code == 403


def test_the_pharmacist_sees_what_to_dispense_and_the_arm_and_hands_out(
    trial, visitor, unblinded, opened
):
    confirm(visitor(ANNA))
    paul = unblinded(PAUL)
    listed = paul.get(f"/vault/{STUDY}/").get_data(as_text=True)
    assert CODE in listed
    assert "UNBLINDED" in listed
    assert "unblinded" in re.search(r'<body class="([^"]*)"', listed)[1]
    assert not re.search(r"\b(MMF|PBO)\b", listed)
    page = f"/vault/{STUDY}/participants/{CODE}/BL"
    shown = paul.get(page)
    assert shown.headers["Cache-Control"] == "no-store"
    text = shown.get_data(as_text=True)
    assert len(set(re.findall(r"\b(MMF|PBO)\b", text))) == 1
    with trial.read() as session:
        first, second = session.scalars(select(KitGiven.number).order_by(KitGiven.number))
    wrong = paul.post(page, {"act": "dispense", "number": "K0000000"})
    assert wrong.status_code == 409
    assert "There is no kit K0000000 at this site" in wrong.get_data(as_text=True)
    told = {"act": "acknowledged", "incident": "1", "site": "PUMCH", "text": "Another trial's"}
    assert paul.post(f"/vault/{STUDY}/incidents", told).status_code == 303
    assert paul.post(page, {"act": "dispense", "number": first.lower()}).status_code == 303
    with trial.read() as session:
        rows = dict(map(tuple, session.execute(select(KitGiven.number, KitGiven.status))))
    assert rows == {first: "dispensed", second: "assigned"}
    paul.post(page, {"act": "dispense", "number": second})
    assert CODE not in paul.get(f"/vault/{STUDY}/").get_data(as_text=True)


def test_when_this_side_missed_a_dispensing_typing_the_kit_again_catches_up(
    trial, visitor, unblinded, opened, by
):
    confirm(visitor(ANNA))
    with trial.read() as session:
        number = session.scalars(select(KitGiven.number).order_by(KitGiven.number)).first()
    api.dispense(opened, by(PAUL), api.Visit(STUDY, "PUMCH", CODE, "BL"), number)
    page = f"/vault/{STUDY}/participants/{CODE}/BL"
    done = unblinded(PAUL).post(page, {"act": "dispense", "number": number})
    assert done.status_code == 303
    with trial.read() as session:
        status = session.scalar(select(KitGiven.status).where(KitGiven.number == number))
    assert status == "dispensed"


def test_kits_for_a_later_visit_are_assigned_from_the_page(trial, visitor, unblinded):
    confirm(visitor(ANNA))
    paul = unblinded(PAUL)
    page = f"/vault/{STUDY}/participants/{CODE}/W4"
    assert "3 to be assigned" in paul.get(page).get_data(as_text=True)
    assert paul.post(page, {"act": "assign"}).status_code == 303
    with trial.read() as session:
        given = session.scalars(
            select(KitGiven.number)
            .join(Visit, Visit.id == KitGiven.visit_id)
            .where(Visit.key == "W4")
        ).all()
    assert len(given) == 3
    assert paul.post(page, {"act": "assign"}).status_code == 303
    assert paul.post(page.replace("W4", "W52"), {"act": "assign"}).status_code == 404


def test_a_pharmacist_of_another_site_and_a_blinded_person_see_nothing(
    trial, visitor, unblinded
):
    confirm(visitor(ANNA))
    page = f"/vault/{STUDY}/participants/{CODE}/BL"
    assert unblinded(PETRA).get(page).status_code == 404
    assert CODE not in unblinded(PETRA).get(f"/vault/{STUDY}/").get_data(as_text=True)
    assert unblinded(ANNA).get(page).status_code == 403
    assert unblinded(DORA).get(f"/vault/{STUDY}/").status_code == 403


BREAK = f"/vault/{STUDY}/code-break"
SENT = {"code": CODE, "why": "overdose", "reason": "Took sixty capsules"}
LAST = {"again": CODE, "understood": "1", "ref": "0123456789abcdef", "password": PASSWORD}


def test_the_code_is_broken_in_three_steps(trial, visitor, unblinded, opened):
    confirm(visitor(ANNA))
    anna = unblinded(ANNA)
    assert anna.get("/vault/code-break").headers["Location"] == BREAK
    assert "Step 1 of 3" in anna.get(BREAK).get_data(as_text=True)
    two = anna.post(BREAK, {"step": "1", "code": CODE.lower()}).get_data(as_text=True)
    assert "Step 2 of 3" in two
    three = anna.post(BREAK, {"step": "2", **SENT}).get_data(as_text=True)
    assert "Step 3 of 3" in three
    assert not re.search(r"\b(MMF|PBO)\b", two + three)
    last = {"step": "3", **SENT, **LAST}
    shown = anna.post(BREAK, last)
    assert shown.headers["Cache-Control"] == "no-store"
    assert len(set(re.findall(r"\b(MMF|PBO)\b", shown.get_data(as_text=True)))) == 1
    with opened.database.read() as session:
        rows = session.execute(select(Reveal.participant, Reveal.reason)).all()
    assert [tuple(row) for row in rows] == [(CODE, "Took sixty capsules")]
    with trial.read() as session:
        assert session.scalar(select(Participant.unblinded_at)) == NOON
        (*_, act) = LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE))
    assert '"participant:code-break"' in act[3]
    assert not re.search(r"\b(MMF|PBO)\b", str(act))


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"step": "1", "code": "PUMCH-777"}, 404, "There is no participant PUMCH-777"),
        ({"step": "2", **SENT, "why": "curiosity"}, 422, "Choose a class of reason."),
        ({"step": "2", **SENT, "reason": " "}, 422, "Say why the code is broken."),
        ({"step": "3", **SENT, **LAST, "again": "PUMCH-002"}, 422,
         "The code you typed is not PUMCH-001."),
        ({"step": "3", **SENT, **LAST, "understood": ""}, 422, "read the consequences"),
        ({"step": "3", **SENT, **LAST, "password": "wrong"}, 403,
         "The password is not right."),
    ],
)  # fmt: skip
def test_no_step_can_be_left_out(trial, visitor, unblinded, opened, sent, status, says):
    confirm(visitor(ANNA))
    page = unblinded(ANNA).post(BREAK, sent)
    assert page.status_code == status
    assert says in page.get_data(as_text=True)
    with opened.database.read() as session:
        assert session.scalars(select(Reveal.id)).all() == []
    with trial.read() as session:
        assert session.scalar(select(Participant.unblinded_at)) is None


def test_somebody_not_randomized_has_no_code_to_break(trial, unblinded):
    page = unblinded(ANNA).post(BREAK, {"step": "1", "code": CODE})
    assert page.status_code == 422
    assert "PUMCH-001 was not randomized." in page.get_data(as_text=True)


def test_only_the_sites_investigator_breaks_the_code(trial, visitor, unblinded):
    confirm(visitor(ANNA))
    assert unblinded(BO).post(BREAK, {"step": "1", "code": CODE}).status_code == 404
    assert unblinded(PAUL).get(BREAK).status_code == 403
    assert unblinded(DORA).get("/vault/code-break").status_code == 403


def test_the_blinded_app_has_no_page_of_the_vault(app):
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/vault")]
    client = app.extensions[randomize.EXTENSION]
    public = [name for name in dir(client) if not name.startswith("_")]
    assert public == ["assign_kits", "randomize", "release_kits", "verify"]
