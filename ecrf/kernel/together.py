"""Group commit: what several threads ask at the same time is done in one go, in its order.

Whoever finds nobody at work does what waits, and then wakes the first of those who came in the
meantime to do the same. Under load the cost of a lock and of a commit is shared by all who
wait, and whoever comes just after a crowd waits for it a moment; somebody who is alone waits
for nobody.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST = 32
PATIENCE = 0.002
"""How many seconds at most whoever has the turn waits for as many as came the last time."""


@dataclass(slots=True)
class _Ticket:
    """One thing asked. Called without an answer, its owner has the turn."""

    asked: Any
    called: Event = field(default_factory=Event)
    answers: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class _Queue:
    lock: Lock = field(default_factory=Lock)
    waiting: deque[_Ticket] = field(default_factory=deque)
    busy: bool = False
    crowd: int = 1
    assembled: Event = field(default_factory=Event)

    def enter(self, ticket: _Ticket) -> None:
        """Line up; the turn comes at once when nobody is at work."""
        with self.lock:
            self.waiting.append(ticket)
            if len(self.waiting) >= self.crowd:
                self.assembled.set()
            if not self.busy:
                self.busy = True
                ticket.called.set()

    def first(self) -> list[_Ticket]:
        """Take the first who wait, after a moment in which as many as last time may come."""
        self.assembled.wait(PATIENCE)
        with self.lock:
            some = [self.waiting.popleft() for _ in range(min(MOST, len(self.waiting)))]
            self.crowd = len(some)
            if len(self.waiting) < self.crowd:
                self.assembled.clear()
            return some

    def leave(self) -> None:
        """Give the turn to the first who waits."""
        with self.lock:
            self.busy = bool(self.waiting)
            if self.busy:
                self.waiting[0].called.set()


class Together:
    """Queues by key; what is asked under one key is done by one thread at a time."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    def ask(
        self,
        key: str,
        asked: Asked,
        do: Callable[[Sequence[Asked]], Sequence[Answer | Exception]],
    ) -> Answer:
        """Return the answer to `asked`, or raise it when it is an exception.

        `do` answers at most `MOST` at once, in their order. When it raises, all of them were
        in vain, and everyone who asked for one of them is told so.
        """
        queue = self._queues.setdefault(key, _Queue())
        ticket = _Ticket(asked)
        queue.enter(ticket)
        ticket.called.wait()
        if not ticket.answers:
            _serve(queue, do)
        (answer,) = ticket.answers
        if isinstance(answer, BaseException):
            raise answer
        found: Answer = answer
        return found


def _serve(queue: _Queue, do: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
    """Do what waits, the turn's owner's among it, and tell everyone."""
    some = queue.first()
    try:
        answers: Sequence[Any] = do([ticket.asked for ticket in some])
    except BaseException as failure:  # noqa: BLE001 - it is raised by everyone who asked
        answers = [failure] * len(some)
    queue.leave()
    for ticket, answer in zip(some, answers, strict=True):
        ticket.answers.append(answer)
        ticket.called.set()
