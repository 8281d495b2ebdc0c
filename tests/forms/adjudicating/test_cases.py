"""An event goes from a suspicion to a verdict; nobody sees another's vote on the way."""

import json

import pytest

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound, Unacceptable
from forms import gates, scope
from forms.adjudicating import asking, assembling, cases, seats, voting
from forms.adjudicating.states import State
from forms.adjudicating.tables import Vote
from tests import people
from tests.forms.adjudicating.court import EVENT, NO, UNCLEAR, YES
from tests.forms.trial import STUDY_ID


def open_ends(court):
    with court.database.read() as session:
        where = scope.find(session, people.DORA, Right.DATA_LOCK, STUDY_ID)
        found = gates.open_ends(session, where, people.NOON)
    return [blocker for blocker in found if blocker.kind is gates.Gate.ADJUDICATION]


def test_an_event_is_judged_by_two_who_agree(court_):
    court_.report({**EVENT, "opinion": "N"})
    with pytest.raises(NotFound):
        court_.case()
    court_.report(reason="Seen again")
    assert court_.case().state is State.SUSPECTED
    assert len(open_ends(court_)) == 1
    court_.report({"sbp": "120", "position": "LYING"}, form="vs", visit="SCR")
    court_.put_to_the_vote()
    with pytest.raises(NotFound):
        court_.seat(people.CORA)
    seat = court_.seat(people.ADAM)
    read = seat.dossier.content
    for never in ("PUMCH", "verum", "Opinion", "Position"):
        assert never not in read, never
    titles = [part["title"]["en"] for part in json.loads(read)["parts"]]
    assert titles == ["Event", "Vital signs"]
    assert court_.vote(people.ADAM, YES) is State.REVIEW
    assert court_.seat(people.EVE).answers == {}
    with pytest.raises(Conflict):
        court_.vote(people.ADAM, NO)
    assert court_.vote(people.EVE, {**YES, "where": "COUGH,RASH"}) is State.FINAL
    case = court_.case().case
    assert (case.verdict, case.organs, str(case.event_on)) == ("Y", "COUGH", "2026-03-01")
    assert open_ends(court_) == []
    with pytest.raises(Conflict):
        court_.manage(seats.assign, [people.ADAM.id, people.EVE.id])


def test_a_discordant_case_is_decided_by_a_third_person(court_):
    court_.report()
    court_.put_to_the_vote()
    court_.vote(people.ADAM, YES)
    assert court_.vote(people.EVE, NO) is State.DISCORDANT
    with pytest.raises(Unacceptable):
        court_.manage(seats.give_to_chair, people.EVE.id)
    court_.manage(seats.give_to_chair, people.CORA.id)
    with pytest.raises(Unacceptable):
        court_.vote(people.CORA, UNCLEAR)
    other = {"flare": "Y", "where": "RASH", "agreed": "N", "on": "2026-02-27"}
    assert court_.vote(people.CORA, other) is State.FINAL
    assert str(court_.case().case.event_on) == "2026-02-27"


def test_a_change_of_the_data_after_the_vote_reopens_the_case_and_keeps_the_votes(court_):
    court_.report()
    court_.put_to_the_vote()
    for member in (people.ADAM, people.EVE):
        court_.vote(member, NO)
    with court_.database.read() as session:
        assert not assembling.changed_cases(session, [court_.case()])
    court_.report({"story": "Better now"}, reason="Typed wrong")
    with court_.database.read() as session:
        assert assembling.changed_cases(session, [court_.case()]) == {1}
    assert len(open_ends(court_)) == 1
    assert court_.manage(assembling.reopen, "The story was corrected.") == 2
    case = court_.case().case
    assert (case.state, case.round, case.verdict) == (State.DRAFT, 2, None)
    court_.manage(assembling.complete, {})
    with court_.database.read() as session:
        able = seats.in_turn(session, court_.case(), people.NOON)
    court_.manage(seats.assign, able)
    for member in (people.ADAM, people.EVE):
        court_.vote(member, YES)
    assert court_.case().case.verdict == "Y"
    with court_.database.read() as session:
        kept = cases.votes(session, case.id)
        assert [(vote.round, vote.status) for vote in kept] == [
            (1, "signed"), (1, "signed"), (2, "signed"), (2, "signed"),
        ]  # fmt: skip


def test_a_vote_that_lacks_information_asks_the_site_without_naming_anybody(court_):
    court_.report()
    court_.put_to_the_vote()
    with pytest.raises(Unacceptable):
        court_.vote(people.ADAM, {"flare": "U"})
    court_.vote(people.ADAM, UNCLEAR)
    assert court_.vote(people.EVE, YES) is State.INFORMATION
    with court_.database.read() as session:
        (question,) = asking.questions(session, court_.case())
    assert (question.text, question.query) == ("Is there a scan?", None)
    with court_.database.write() as session:
        by = court_.by(people.DORA)
        query = asking.ask(session, by, STUDY_ID, 1, question.vote, "Is there a scan?")
        with pytest.raises(Conflict):
            asking.ask(session, by, STUDY_ID, 1, question.vote, "And another?")
    with court_.database.read() as session:
        (asked,) = asking.questions(session, court_.case())
    assert (asked.query, asked.status) == (query, "open")
    assert court_.manage(assembling.reopen, "The site answered.") == 2


def test_a_seat_is_given_to_somebody_else_and_a_case_withdrawn_only_when_it_is_none(court_):
    court_.report()
    with pytest.raises(Conflict):
        court_.manage(assembling.withdraw, "Not an event.")
    court_.report({"opinion": "N"}, reason="Seen again")
    court_.manage(assembling.withdraw, "The site took it back.")
    assert open_ends(court_) == []
    court_.report({"opinion": "Y"}, reason="Seen once more")
    assert court_.case().state is State.SUSPECTED
    court_.put_to_the_vote()
    with pytest.raises(Unacceptable):
        court_.manage(seats.assign, [people.ADAM.id])
    with pytest.raises(Unacceptable):
        court_.manage(seats.assign, [people.ADAM.id, people.CARL.id])
    with court_.database.read() as session:
        assert [seat.name for seat in voting.mine(session, people.EVE, STUDY_ID)] == ["C-001"]
        assert session.query(Vote).count() == 2
