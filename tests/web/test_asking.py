"""Randomizing as the site sees it: what must be so, is signed, waits, and is said."""

# ruff: noqa: F811 (fixtures)

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from ecrf.kernel import chance
from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.ledger import LEDGER, By, Origin, participant_chain
from ecrf.study import canonical
from ecrf.study.allocating import Caps, ConsentVersions
from ecrf.study.tables import ProtocolVersion, StudyRow
from ecrf.web import randomize
from forms import sweeping
from forms.tables import Entry
from randomization import api
from randomization.tables import Allocation, Kit
from tests.people import ANNA, DORA, NOON, STUDY
from tests.web.randomizing import (  # noqa: F401
    CODE,
    PAGE,
    actions,
    app,
    asked,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    stored,
    trial,
    unblinded,
    vault_app,
)
from visits.allocating.tables import Asking
from visits.tables import Participant, Visit

PDF = f"/{STUDY}/participants/{CODE}/receipt.pdf"


def redefine(trial, study):
    """Let another definition be in force for everybody, as if it had always been."""
    fingerprint = canonical.fingerprint(study)
    with trial.write() as session:
        old = session.scalars(select(ProtocolVersion)).first()
        values = {c.key: getattr(old, c.key) for c in ProtocolVersion.__table__.c}
        values |= {
            "fingerprint": fingerprint, "content": canonical.canonical(study), "version": "2",
        }  # fmt: skip
        session.execute(ProtocolVersion.__table__.insert().values(**values))
        session.execute(update(StudyRow).values(fingerprint=fingerprint))
        session.execute(update(Participant).values(protocol=fingerprint))
        session.execute(update(Entry).values(protocol=fingerprint))


def versions(*listed):
    return ConsentVersions.model_validate({
        "form": "icf", "item": "icf_version", "date": "icf_date", "signed": "icf_signed",
        "versions": listed,
    })  # fmt: skip


OLD = {"id": "2.0", "from": "2025-01-01"}


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([OLD, {"id": "2.1", "from": "2026-03-01"}],
         "The participant signed version 2.0 on 2026-02-20; they must consent again."),
        ([{"id": "3", "from": "2026-01-01"}], "which the study does not know"),
        ([{"id": "2.0", "from": "2026-04-01"}], "A version of the consent form is in force"),
        ([OLD, {"id": "2.1", "from": "2026-04-01", "sites": {"PUMCH": "2026-03-01"}}],
         "under version 2.1 of the consent form, in force since 2026-03-01"),
    ],
)  # fmt: skip
def test_consent_under_a_version_that_is_not_in_force_is_named(
    trial, visitor, study, listed, says
):
    redefine(trial, study.model_copy(update={"consent_versions": versions(*listed)}))
    anna = visitor(ANNA)
    text = anna.get(PAGE).get_data(as_text=True)
    assert says in text
    assert "Randomize now" not in text
    assert f"/{STUDY}/participants/{CODE}/visits/SCR/icf" in text
    assert confirm(anna).status_code == 409
    assert asked(trial) == []


@pytest.mark.parametrize(
    "listed",
    [
        [OLD, {"id": "2.1", "from": "2026-03-03"}],
        [OLD, {"id": "2.1", "from": "2026-03-01", "sites": {"PUMCH": "2026-04-01"}}],
    ],
)
def test_a_newer_version_counts_from_its_day_at_the_site(trial, visitor, study, listed):
    redefine(trial, study.model_copy(update={"consent_versions": versions(*listed)}))
    assert confirm(visitor(ANNA)).status_code == 303


def test_consenting_again_under_the_newer_version_counts(trial, visitor, study):
    listed = [OLD, {"id": "2.1", "from": "2026-03-01"}]
    redefine(trial, study.model_copy(update={"consent_versions": versions(*listed)}))
    again = {"icf_signed": "Y", "icf_date": "2026-03-01", "icf_version": "V2.1 (2026-02-15)"}
    with trial.write() as session:
        entry = session.scalars(select(Entry).where(Entry.form == "icf")).one()
        at = session.scalar(select(Visit.id).where(Visit.key == "BL"))
        values = {c.key: getattr(entry, c.key) for c in Entry.__table__.c if c.key != "id"}
        values |= {"visit_id": at, "answers": {k: {"text": v, "value": v} for k, v in
                                               again.items()}}  # fmt: skip
        session.execute(Entry.__table__.insert().values(**values))
    assert confirm(visitor(ANNA)).status_code == 303


def capped(trial, study, **caps):
    rule = study.randomization.model_copy(update={"caps": Caps(**caps)})
    redefine(trial, study.model_copy(update={"randomization": rule}))


@pytest.mark.parametrize(
    ("caps", "where"),
    [
        ({"total": 1}, "in the study"),
        ({"sites": {"PUMCH": 1}}, "at this site"),
        ({"strata": {"site=PUMCH|background=Y": 1}}, "in this stratum"),
    ],
)
def test_a_full_place_is_named_before_and_refused_by_the_vault(
    trial, visitor, study, opened, caps, where
):
    capped(trial, study, **caps)
    request = api.Request(
        STUDY, "PUMCH", "PUMCH-777", "site=PUMCH|background=Y", "BL", 0, NOON.date()
    )
    api.randomize(opened, By(ANNA, NOON, Origin.PAGE, chance.system), request)
    anna = visitor(ANNA)
    refused = confirm(anna)
    assert refused.status_code == 409
    assert f"1 are randomized {where}" in refused.get_data(as_text=True)
    assert asked(trial) == ["asked", "refused"]
    assert stored(trial).random_number is None


def test_the_number_planned_is_the_most_and_is_listed(trial, visitor, study):
    text = visitor(ANNA).get(PAGE).get_data(as_text=True)
    assert f"{study.planned} may be randomized in the study; 0 are." in text
    redefine(trial, study.model_copy(update={"planned": 1}))
    with trial.write() as session:
        session.execute(
            Participant.__table__.insert().values(
                study=STUDY, site="BFH", code="BFH-001", number=1, status="randomized",
                state="open", protocol=session.scalar(select(StudyRow.fingerprint)),
                enrolled_at=NOON, enrolled_by=ANNA.id, random_number="R1",
            )
        )  # fmt: skip
    text = visitor(ANNA).get(PAGE).get_data(as_text=True)
    assert "1 may be randomized in the study; 1 are." in text
    assert "Randomize now" not in text


@pytest.mark.req("SG-01")
def test_name_time_and_meaning_of_the_signature_stand_on_page_and_ledger(trial, visitor, study):
    anna = visitor(ANNA)
    confirm(anna)
    meaning = study.randomization.confirm.en
    text = anna.get(PAGE).get_data(as_text=True)
    assert "Anna Li, site investigator, 2026-03-02 12:00 (Asia/Shanghai, UTC+08:00)" in text
    assert meaning in text
    with trial.read() as session:
        acts = list(LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE)))
    asks = next(act for act in acts if '"randomization:ask"' in act[3])
    assert meaning in asks[4] and '"printed":"Anna Li"' in asks[3]


def test_wrong_passwords_count_and_make_the_account_wait(trial, visitor):
    anna = visitor(ANNA)
    for _ in range(5):
        assert confirm(anna, password="wrong").status_code == 403
    assert confirm(anna).status_code == 429
    assert stored(trial).random_number is None
    assert asked(trial) == []


def test_a_refusal_of_the_vault_is_written_down_and_shown(trial, visitor, opened):
    with opened.database.write() as session:
        session.execute(update(Kit).values(state="quarantined"))
    anna = visitor(ANNA)
    assert confirm(anna).status_code == 503
    assert asked(trial) == ["asked", "refused"]
    assert actions(trial)[-2:] == ["randomization:ask", "randomization:refused"]
    text = anna.get(PAGE).get_data(as_text=True)
    assert "and was refused:" in text and "Tell the study" in text
    with opened.database.write() as session:
        session.execute(update(Kit).values(state="available"))
    assert confirm(anna).status_code == 303


def test_two_tabs_at_once_get_one_answer(trial, app, visitor, opened):
    tabs = [visitor(ANNA) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        said = [page.status_code for page in pool.map(confirm, tabs)]
    assert said == [303] * 4
    with opened.database.read() as session:
        assert len(session.scalars(select(Allocation.id)).all()) == 1
    assert actions(trial).count("participant:randomize") == 1
    with trial.read() as session:
        assert ledger_verify.verify(session).flaws == ()


def test_going_back_and_sending_again_leads_to_the_answer(trial, visitor):
    anna = visitor(ANNA)
    confirm(anna)
    before = stored(trial)
    again = confirm(anna, password="not even right")
    assert again.headers["Location"] == f"{PAGE}?done=1"
    assert stored(trial) == before
    assert asked(trial) == ["asked"]


class Keeper:
    """The vault as the sweeper sees it, like that of the command."""

    def __new__(cls, vault):
        from ecrf.cli.sweeping import Keeper as Real

        return Real(vault)


def sweep(trial, opened, by):
    return sweeping.sweep(trial, by(_nobody(), origin=Origin.JOB), Keeper(opened), STUDY)


def _nobody():
    from ecrf.kernel.accounts import NOBODY

    return NOBODY


def crash(monkeypatch, visitor):
    """Randomize, and lose the power between the vault's commit and ours."""
    with monkeypatch.context() as patched:

        def off(*_):
            raise RuntimeError("power cut")

        patched.setattr(randomize.randomized, "store", off)
        assert confirm(visitor(ANNA)).status_code == 500


def test_after_a_crash_the_site_sees_that_it_waits_and_the_sweeper_stores_the_answer(
    trial, visitor, opened, monkeypatch, by
):
    crash(monkeypatch, visitor)
    anna = visitor(ANNA)
    assert "Asked, waiting." in anna.get(PAGE).get_data(as_text=True)
    listed = anna.get(f"/{STUDY}/participants/{CODE}").get_data(as_text=True)
    assert "Randomization: asked, waiting." in listed
    assert sweep(trial, opened, by).stored == (CODE,)
    row = stored(trial)
    assert row.status == "randomized"
    with opened.database.read() as session:
        assert session.scalars(select(Allocation.random_number)).one() == row.random_number
    with trial.read() as session:
        (*_, act) = LEDGER.acts(session, chain_name=participant_chain(STUDY, CODE))
    assert '"origin":"job"' in act[3] and "Anna Li asked at" in act[4]
    assert confirm(anna).status_code == 303
    assert stored(trial) == row


def test_a_sweep_stores_what_is_true_whatever_was_locked_or_given_up_meanwhile(
    trial, visitor, opened, monkeypatch, by
):
    crash(monkeypatch, visitor)
    with trial.write() as session:
        session.execute(update(Participant).values(status="screen failed", state="frozen"))
    assert sweep(trial, opened, by).stored == (CODE,)
    assert stored(trial).status == "randomized"


def test_sweeping_again_changes_nothing(trial, visitor, opened, monkeypatch, by, statements):
    crash(monkeypatch, visitor)
    sweep(trial, opened, by)
    before = actions(trial)
    with statements(trial) as sent:
        assert sweep(trial, opened, by) == sweeping.Swept()
    assert len(sent) == 2, sent
    assert actions(trial) == before


def test_a_sweep_puts_nobody_on_a_slot(trial, visitor, opened, monkeypatch, by):
    """What was asked and never reached the vault waits for a person."""
    with monkeypatch.context() as patched:

        def off(*_):
            raise RuntimeError("power cut")

        patched.setattr(randomize, "carry_out", off)
        confirm(visitor(ANNA))
    assert asked(trial) == ["asked"]
    assert sweep(trial, opened, by) == sweeping.Swept()
    with opened.database.read() as session:
        assert session.scalars(select(Allocation.id)).all() == []
    assert confirm(visitor(ANNA)).status_code == 303


def test_a_sweep_brings_kits_up_to_date_and_names_what_it_cannot_mend(
    trial, visitor, opened, by
):
    from sqlalchemy import delete

    from tests.people import PAUL
    from visits.tables import KitGiven

    confirm(visitor(ANNA))
    with trial.write() as session:
        first, second = session.scalars(select(KitGiven.number).order_by(KitGiven.number))
        session.execute(delete(KitGiven).where(KitGiven.number == second))
    api.dispense(opened, by(PAUL), api.Visit(STUDY, "PUMCH", CODE, "BL"), first)
    assert sweep(trial, opened, by).followed == (CODE,)
    with trial.read() as session:
        rows = dict(map(tuple, session.execute(select(KitGiven.number, KitGiven.status))))
    assert rows == {first: "dispensed", second: "assigned"}
    stranger = api.Request(
        STUDY, "PUMCH", "PUMCH-777", "site=PUMCH|background=Y", "BL", 0, NOON.date()
    )
    api.randomize(opened, By(ANNA, NOON, Origin.PAGE, chance.system), stranger)
    found = sweep(trial, opened, by)
    assert found.strangers == ("PUMCH-777",) and not found.sound


def test_the_receipt_is_a_document_in_both_languages_that_names_no_arm(trial, visitor):
    anna = visitor(ANNA)
    assert anna.get(PDF).status_code == 404
    confirm(anna)
    for language in ("en", "zh"):
        page = anna.get(f"{PDF}?lang={language}")
        assert page.mimetype == "application/pdf" and page.data.startswith(b"%PDF")
        said = _text(page.data)
        row = stored(trial)
        assert row.random_number in said and CODE in said
        assert "MMF" not in said.replace("SHA", "") and "PBO" not in said
    english = f"{PDF}?lang=en"
    assert anna.get(english).data == visitor(DORA).get(english).data
    assert PDF in anna.get(PAGE).get_data(as_text=True)


def _text(pdf):
    import io

    from pypdf import PdfReader

    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_every_question_ever_asked_stays(trial, visitor):
    confirm(visitor(ANNA))
    with pytest.raises(Exception, match="append-only"), trial.write() as session:
        session.execute(update(Asking).values(by_name="somebody"))
