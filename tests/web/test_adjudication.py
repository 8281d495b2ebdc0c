"""Pages of cases and votes: who reaches what, and what is never told."""

import json
import zipfile

import pytest
from sqlalchemy import select

from ecrf.kernel.checkpoints import Desk as Notary
from ecrf.kernel.keys import Signer
from ecrf.kernel.ledger import LEDGER
from forms.adjudicating import assembling, seats
from reports import package, verify
from tests import people
from tests.forms.adjudicating import court
from tests.forms.adjudicating.conftest import court_ as court_  # noqa: PLC0414
from tests.forms.trial import STUDY_ID

CASES, MINE = f"/{STUDY_ID}/cases", f"/{STUDY_ID}/adjudication"


def test_a_case_is_taken_from_suspicion_to_verdict_by_pages_alone(court_, visitor):
    court_.report()
    dora, adam, eve, cora = map(visitor, (people.DORA, people.ADAM, people.EVE, people.CORA))
    assert "C-001" in dora.get(CASES).text
    page = f"{CASES}/1"
    assert dora.post(f"{page}/complete").status_code == 409
    assert dora.post(f"{page}/assemble").status_code == 303
    shown = dora.get(page).text
    assert "Found: PUMCH, verum" in shown
    key = shown.split('name="do:')[1].split('"')[0]
    kept = dora.post(f"{page}/complete", {f"do:{key}": "keep"})
    assert kept.status_code == 422 and "say why" in kept.text
    assert dora.post(f"{page}/complete", {f"do:{key}": "cut"}).status_code == 303
    both = {"people": [str(people.ADAM.id), str(people.EVE.id)]}
    assert dora.post(f"{page}/assign", both).status_code == 303
    assert "C-001" in adam.get(MINE).text and "C-001" not in cora.get(MINE).text
    mine = f"{MINE}/1"
    assert cora.get(mine).status_code == 404
    read = adam.get(mine).text
    assert "Worse on █████ at █████" in read
    for never in ("PUMCH", "verum", "Eve Tang", "Opinion"):
        assert never not in read, never
    assert adam.get(f"{mine}/dossier.pdf").data.startswith(b"%PDF")
    vote = {**court.YES, "seen_version": "0", "act": "sign"}
    assert adam.post(mine, {**vote, "password": "wrong"}).status_code == 403
    unaware = eve.get(mine).text, eve.get(MINE).text
    signed = adam.post(mine, {**vote, "password": people.PASSWORD})
    assert signed.status_code == 303, signed.text
    assert "hidden until the case is final" in dora.get(page).text
    assert (eve.get(mine).text, eve.get(MINE).text) == unaware
    no = {**court.NO, "seen_version": "0", "act": "sign", "password": people.PASSWORD}
    assert eve.post(mine, no).status_code == 303
    assert dora.post(f"{page}/chair", {"people": str(people.CORA.id)}).status_code == 303
    seen = cora.get(mine).text
    assert "Vote 2" in seen and "Adam Qian" not in seen and "Eve Tang" not in seen
    decided = cora.post(mine, {**vote, "password": people.PASSWORD})
    assert decided.status_code == 303
    assert "Verdict of the committee" in dora.get(page).text
    listed = dora.get(f"/{STUDY_ID}/endpoints")
    assert listed.status_code == 200


@pytest.mark.parametrize("actor", [people.ANNA, people.CARL, people.MONA, people.AUDREY])
def test_nobody_else_reaches_cases_or_votes(court_, visitor, actor):
    who = visitor(actor)
    assert {who.get(path).status_code for path in (CASES, f"{CASES}/1", MINE, f"{MINE}/1")} == {
        403
    }


def test_the_committee_reaches_no_entry_no_case_of_others_and_no_list(court_, visitor):
    court_.report()
    court_.manage(assembling.assemble)
    court_.manage(assembling.complete, {})
    court_.manage(seats.assign, [people.ADAM.id, people.EVE.id])
    adam = visitor(people.ADAM)
    entry = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL/ev"
    for path in (CASES, entry, f"/{STUDY_ID}/ledger", f"/{STUDY_ID}/endpoints"):
        assert adam.get(path).status_code == 403, path
    assert visitor(people.CORA).get(f"{MINE}/1").status_code == 404
    assert adam.get(f"{MINE}/2").status_code == 404


def test_an_event_reaches_its_verdict_without_anybody_breaking_a_code(court_, statements):
    court_.report()
    court_.put_to_the_vote()
    with statements(court_.database) as sent:
        court_.vote(people.ADAM, court.NO)
        court_.vote(people.EVE, court.NO)
    assert court_.case().case.verdict == "N"
    assert court_.case().participant.unblinded_at is None
    assert not [one for one in sent if "unblinded_at =" in one]


def test_no_ledger_tells_a_vote_before_its_case_is_final(court_, visitor, by, tmp_path):
    """On the page the auditor alone reads it after the verdict; a package holds it then."""
    court_.report()
    court_.put_to_the_vote()
    pages = [visitor(who) for who in (people.DORA, people.AUDREY, people.MONA)]

    def told():
        return ["Is there a scan?" in one.get(f"/{STUDY_ID}/ledger").text for one in pages]

    court_.vote(people.ADAM, court.UNCLEAR)
    assert told() == [False, False, False]
    assert "sealed until the case is final" in pages[1].get(f"/{STUDY_ID}/ledger").text
    assert _shape(court_) == {("vote:save", 1), ("vote:sign", 1)}
    court_.vote(people.EVE, court.NO)
    assert _packed(court_, by, tmp_path) == ([], [1], 4)
    court_.manage(assembling.reopen, "The site answered.")
    court_.manage(assembling.complete, {})
    court_.manage(seats.assign, [people.ADAM.id, people.EVE.id])
    for member in (people.ADAM, people.EVE):
        court_.vote(member, court.NO)
    assert told() == [True, True, False]
    assert _packed(court_, by, tmp_path) == ([], [], 0)


def _shape(court_):
    """Return what an act of a vote lets one count: its kind and how many values it holds."""
    with court_.database.read() as session:
        acts = session.execute(select(LEDGER.act.c.action, LEDGER.act.c.header))
        return {
            (act.action, len(json.loads(act.header)["commits"]))
            for act in acts
            if act.action.startswith("vote:")
        }


def _packed(court_, by, folder):
    """Return the faults of a package of now, its sealed cases, and the values left out."""
    desk = Notary(Signer("ecrf", b"7" * 32), folder / "outside")
    with court_.database.write() as session:
        made = package.make(
            court_.database, session, by(people.DORA), desk, folder, STUDY_ID, None
        )
    with zipfile.ZipFile(made.path) as zipped:
        sealed = json.loads(zipped.read("MANIFEST.json"))["sealed_cases"]
        acts = [json.loads(line) for line in zipped.read("ledger/acts.ndjson").splitlines()]
    lacking = [c for act in acts for c in act["changes"] if c.get("redacted")]
    assert ("scan" in json.dumps(acts)) is not bool(sealed)
    return list(verify.verify(str(made.path)).faults), sealed, len(lacking)
