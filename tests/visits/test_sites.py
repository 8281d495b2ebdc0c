"""Sites are opened and closed for enrolment by data management, with a reason."""

import json

import pytest

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER, study_chain
from tests import people
from tests.visits import cases
from tests.visits.trial import STUDY_ID
from visits import sites

WHY = "The site has all the participants it can follow."


def change(running, by, actor=people.DORA, code="PUMCH", reason=WHY, *, to):
    with running.write() as session:
        sites.set_open(session, by(actor), STUDY_ID, code, reason, to=to)


def acts(running):
    with running.read() as session:
        read = list(LEDGER.acts(session, chain_name=study_chain(STUDY_ID)))
    told = [(json.loads(header), json.loads(changes)) for _, _, _, header, changes, _ in read]
    return [
        (facts["action"], facts["site"], {c["item"]: c["new"] for c in changed})
        for facts, changed in told
        if facts["action"].startswith("site:")
    ]


def test_a_closed_site_enrols_nobody_until_it_is_opened_again(running, by):
    cases.enrol(running, by)
    change(running, by, to=False)
    with pytest.raises(Conflict, match="not open"):
        cases.enrol(running, by)
    assert cases.enrol(running, by, people.BO, "BFH").code == "BFH-001"
    change(running, by, reason="A second investigator has begun.", to=True)
    assert cases.enrol(running, by).code == "PUMCH-002"
    assert acts(running) == [
        ("site:close", "PUMCH", {"open": False, "#reason": WHY}),
        ("site:open", "PUMCH", {"open": True, "#reason": "A second investigator has begun."}),
    ]


def test_the_list_counts_whom_each_site_has_in_one_statement(running, by, statements):
    cases.enrol(running, by)
    change(running, by, to=False)
    with statements(running) as sent, running.read() as session:
        found = {row.code: row for row in sites.listing(session, people.DORA, STUDY_ID)}
    assert len(sent) == 1
    assert (found["PUMCH"].enrolled, found["PUMCH"].randomized) == (1, 0)
    assert (found["PUMCH"].open, found["BFH"].open) == (False, True)
    assert found["BFH"].enrolled == 0


def test_who_manages_one_site_sees_and_changes_that_one_alone(running, by):
    grant = Grant(STUDY_ID, Role.DATA_MANAGER, "BFH")
    local = Actor(people.DORA.id, people.DORA.name, frozenset({grant}))
    with running.read() as session:
        assert [row.code for row in sites.listing(session, local, STUDY_ID)] == ["BFH"]
    with pytest.raises(NotAllowed):
        change(running, by, local, to=False)
    change(running, by, local, code="BFH", to=False)
    assert [site for _, site, _ in acts(running)] == ["BFH"]


def test_what_is_so_already_or_has_no_reason_or_no_right_changes_nothing(running, by):
    for wrong, refusal in (
        ({"to": True}, Conflict),
        ({"to": False, "reason": "  "}, Unacceptable),
        ({"to": False, "code": "NOPE"}, NotFound),
        ({"to": False, "actor": people.CARL}, NotAllowed),
        ({"to": False, "actor": people.MONA}, NotAllowed),
    ):
        with pytest.raises(refusal):
            change(running, by, **wrong)
    assert acts(running) == []
