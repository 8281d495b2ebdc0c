"""Votes are compared by the study's rule; what is not in the table of moves cannot happen."""

from datetime import date

import pytest

from ecrf.kernel.errors import Conflict
from ecrf.study.adjudication import Agreement
from forms.adjudicating import agreement, states
from forms.adjudicating.agreement import Verdict
from forms.adjudicating.states import State
from forms.answers import Answer

RULE = Agreement(
    verdict="flare", question="question", organs="organs", overlap=1, date_agreed="agreed",
    date="on", within_days=14,
)  # fmt: skip
FIRST = date(2026, 3, 1)
YES = Verdict(True, frozenset({"PANCREAS", "LN"}), FIRST)
NO, UNCLEAR = Verdict(False), Verdict(None)


def yes(*organs, on=FIRST):
    return Verdict(True, frozenset(organs), on)


@pytest.mark.parametrize(
    ("other", "state"),
    [
        (yes("PANCREAS"), State.AGREED),
        (yes("LN", "KIDNEY", on=date(2026, 3, 15)), State.AGREED),
        (yes("LN", on=date(2026, 3, 16)), State.DISCORDANT),
        (yes("KIDNEY"), State.DISCORDANT),
        (yes("LN", on=None), State.DISCORDANT),
        (NO, State.DISCORDANT),
        (UNCLEAR, State.INFORMATION),
    ],
)
def test_two_votes_agree_on_verdict_organs_and_date_within_fourteen_days(other, state):
    assert agreement.compare(RULE, [YES, other]).state is state
    assert agreement.compare(RULE, [other, YES]).state is state


def test_what_is_agreed_is_the_organs_named_by_all_and_the_earliest_date():
    found = agreement.compare(RULE, [yes("LN", "KIDNEY", on=date(2026, 3, 9)), YES])
    assert found.verdict == yes("LN", on=FIRST)
    assert agreement.compare(RULE, [NO, NO]).verdict == NO


def test_a_vote_takes_the_date_of_the_site_only_when_it_agrees_with_it():
    said = {"flare": Answer(value="Y"), "organs": Answer(value="LN"), "on": Answer(value="")}
    site = date(2026, 2, 1)
    agreed = agreement.read(RULE, {**said, "agreed": Answer(value="Y")}, site)
    assert agreed == yes("LN", on=site)
    other = {**said, "agreed": Answer(value="N"), "on": Answer(value="2026-03-01")}
    assert agreement.read(RULE, other, site) == yes("LN", on=FIRST)
    assert agreement.read(RULE, {"flare": Answer(value="U")}, site) == UNCLEAR
    assert agreement.read(RULE, {}, site) == UNCLEAR


def test_every_state_can_be_reached_and_only_by_a_move_of_the_table():
    reached, waiting = {State.SUSPECTED}, [State.SUSPECTED]
    while waiting:
        for then in states.MOVES[waiting.pop()] - reached:
            reached.add(then)
            waiting.append(then)
    assert reached == set(State) == set(states.MOVES) == set(states.NAMES)
    for now in State:
        for then in set(State) - states.MOVES[now]:
            with pytest.raises(Conflict):
                states.require(now, then)
    states.require(State.FINAL, State.REOPENED)
