"""What an answer costs does not depend on the arm: statements, openings, bytes; times by KS."""

import itertools
import json
from collections import Counter

import pytest

from randomization import api, seal
from randomization.proving import api as proving
from randomization.proving import rehearsal

PARTICIPANTS = 10
SPEC = api.Spec(
    "nct05974683", 1, "test", "permuted_block", (("ZZCANARY1", 1), ("ZZCANARY2", 1)),
    {"sizes": (4, 6)}, ("a", "b"), 40,
)  # fmt: skip


class Counting:
    """A cipher that counts what it opens, by kind and length."""

    def __init__(self, cipher, opened):
        self.encrypt, self._cipher, self._opened = cipher.encrypt, cipher, opened

    def decrypt(self, nonce, sealed, bound):
        self._opened[json.loads(bound)[0], len(sealed)] += 1
        return self._cipher.decrypt(nonce, sealed, bound)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Both worlds of a rehearsal, with what was opened in each step."""
    folder = tmp_path_factory.mktemp("costs")
    count, opened, ciphers = itertools.count(), Counter(), seal._ciphers

    def counting(key):
        return lambda bound: Counting(ciphers(key)(bound), opened)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seal, "_ciphers", counting)
        worlds = []
        for name, spec in (("one", SPEC), ("other", rehearsal.exchanged(SPEC))):
            opened.clear()
            made = rehearsal.play(spec, folder / name, PARTICIPANTS, lambda: next(count))
            worlds.append((made, dict(opened)))
    return worlds


@pytest.mark.req("L11", "BL-03")
def test_statements_and_answers_are_the_same_in_both_worlds(played):
    (one, _), (other, _) = played
    found = rehearsal.compare(one, other)
    assert found.good and found.exchanged
    assert found.steps == 4 * PARTICIPANTS
    assert found.statements > found.steps


@pytest.mark.req("L11")
def test_as_much_is_opened_in_both_worlds_and_for_each_arm(played):
    (one, opened), (_, also) = played
    assert opened == also and sum(opened.values()) > 100
    by_arm = {}
    for arm, steps in zip(one.arms, one.steps, strict=True):
        shape = tuple((s.name, s.statements, len(s.answer)) for s in steps)
        by_arm.setdefault(arm, set()).add(shape)
    first, second = by_arm.values()
    assert first & second, "no participant of the one arm costs what one of the other does"
    assert {len(shape) for shape in first} == {len(shape) for shape in second}


@pytest.mark.req("L11")
@pytest.mark.parametrize("leak", ["answer", "statements"])
def test_a_step_that_costs_or_says_more_for_one_arm_is_found(played, leak):
    (one, _), (other, _) = played
    steps = list(other.steps)
    more = {"answer": "longer", "statements": (*steps[3][0].statements, "SELECT 1")}[leak]
    steps[3] = (steps[3][0]._replace(**{leak: more}), *steps[3][1:])
    found = rehearsal.compare(one, other._replace(steps=tuple(steps)))
    assert found.differences == (f"randomize 4: {leak}",)
    assert not found.good


def test_a_rehearsal_whose_arms_are_not_exchanged_proves_nothing(played):
    (one, _), _ = played
    assert not rehearsal.compare(one, one).good


@pytest.mark.req("L11")
def test_times_that_follow_the_arm_are_found_and_others_are_not(played):
    (one, _), (other, _) = played
    even = proving.latencies(one, other)
    assert [each.step for each in even] == ["randomize", "again", "assign", "dispense"]
    assert min(each.p for each in even) > 0.001

    def slower(world):
        first = min(world.arms)
        return world._replace(
            steps=tuple(
                tuple(s._replace(seconds=s.seconds + 9 * (arm == first)) for s in steps)
                for arm, steps in zip(world.arms, world.steps, strict=True)
            )
        )

    late = proving.latencies(slower(one), slower(other))
    assert max(each.p for each in late) < 0.001


def test_unequal_shares_and_three_arms_are_exchanged_in_place():
    spec = api.Spec(
        "x", 1, "test", "permuted_block", (("A", 2), ("B", 1), ("C", 1)), {"sizes": (8,)},
        ("a",), 8,
    )  # fmt: skip
    assert rehearsal.exchanged(spec).ratio == (("B", 2), ("C", 1), ("A", 1))
