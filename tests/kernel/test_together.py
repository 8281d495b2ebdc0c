"""Group commit: everyone gets their own answer, in order; a failure is everyone's."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from ecrf.kernel.together import MOST, Together, _Queue


def test_whoever_is_alone_is_done_alone():
    batches = []

    def do(asked):
        batches.append(list(asked))
        return [n * n for n in asked]

    together = Together()
    assert [together.ask("one", n, do) for n in range(3)] == [0, 1, 4]
    assert batches == [[0], [1], [2]]


def test_those_who_wait_are_done_together_in_their_order():
    together, begun, go_on, batches = Together(), Event(), Event(), []

    def do(asked):
        batches.append(list(asked))
        begun.set()
        go_on.wait(30)
        return [-n for n in asked]

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.ask, "one", 0, do)
        begun.wait(30)
        rest = [pool.submit(together.ask, "one", n, do) for n in range(1, 8)]
        while len(together._queues["one"].waiting) < 7:
            pass
        go_on.set()
        assert [first.result(), *(each.result() for each in rest)] == [-n for n in range(8)]
    assert batches[0] == [0]
    assert sorted(batches[1]) == list(range(1, 8))
    assert len(batches) == 2


def test_whoever_comes_after_a_crowd_waits_for_it_and_then_no_longer(monkeypatch):
    """The crowd comes late, one by one; then one who is alone, twice."""
    monkeypatch.setattr("ecrf.kernel.together.PATIENCE", 30)
    together, batches = Together(), []

    def do(asked):
        batches.append(sorted(asked))
        return asked

    with ThreadPoolExecutor(4) as pool:
        queue = together._queues.setdefault("one", _Queue())
        queue.crowd = 4
        queue.assembled.clear()
        early = [pool.submit(together.ask, "one", n, do) for n in range(3)]
        while len(queue.waiting) < 3:
            pass
        assert batches == []
        assert together.ask("one", 3, do) == 3
        assert [one.result() for one in early] == [0, 1, 2]
    assert batches == [[0, 1, 2, 3]]
    monkeypatch.setattr("ecrf.kernel.together.PATIENCE", 0.001)
    assert [together.ask("one", n, do) for n in (4, 5)] == [4, 5]
    assert batches[1:] == [[4], [5]]
    assert queue.assembled.is_set() is False
    assert queue.crowd == 1


def test_a_thousand_asked_by_sixteen_threads_are_each_done_once():
    together, done, inside = Together(), [], []

    def do(asked):
        inside.append(len(inside))
        assert len(asked) <= MOST
        done.extend(asked)
        assert inside.pop() == 0, "two were at work at once"
        return [str(n) for n in asked]

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda n: together.ask("one", n, do), range(1000)))
    assert said == [str(n) for n in range(1000)]
    assert sorted(done) == list(range(1000))


def test_a_refusal_is_one_persons_and_a_failure_everybodys():
    together, all_here = Together(), Barrier(4)

    def do(asked):
        if "fail" in asked:
            raise RuntimeError("down")
        return [ValueError(one) if one == "refuse" else one for one in asked]

    def ask(one):
        all_here.wait(30)
        try:
            return together.ask("one", one, do)
        except ValueError as no:
            return f"refused: {no}"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(ask, ["a", "refuse", "b", "c"]))
    assert said == ["a", "refused: refuse", "b", "c"]
    with pytest.raises(RuntimeError, match="down"):
        together.ask("one", "fail", do)
    assert together.ask("one", "again", do) == "again"


def test_keys_do_not_wait_for_one_another():
    together, inside, go_on = Together(), Event(), Event()

    def slow(asked):
        inside.set()
        go_on.wait(30)
        return asked

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(together.ask, "one", 1, slow)
        inside.wait(30)
        assert together.ask("other", 2, list) == 2
        go_on.set()
        assert waiting.result() == 1
