"""What one part of the proof found."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from ecrf.kernel.text import Message


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


class Result(NamedTuple):
    """One part: how it was looked at, what came of it. It names no arm and no number."""

    id: str
    title: Message
    method: Message
    outcome: Outcome
    found: Message
    details: tuple[Message, ...] = ()


def judged(
    id_: str, title: Message, method: Message, found: Message, wrong: Sequence[Message] = ()
) -> Result:
    """Return a result that failed when something is wrong, with each thing named."""
    outcome = Outcome.FAILED if wrong else Outcome.PASSED
    return Result(id_, title, method, outcome, found, tuple(wrong))


def not_run(id_: str, title: Message, method: Message, why: Message) -> Result:
    return Result(id_, title, method, Outcome.NOT_RUN, why)
