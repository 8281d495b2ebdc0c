"""The named points at which a randomization can be killed, and how to be killed there.

A randomization is two transactions of the main database with one of the vault inside the
second. `install` listens to the engines of a process that is to die; production knows nothing
of it. Whoever measures endurance kills at each of these, too.
"""

import os
from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

POINTS = {
    "asking": "before the commit of what is asked: nothing has happened",
    "asked": "what is asked is committed, the vault was not asked",
    "allocating": "before the vault's commit: asked, on no slot",
    "allocated": "after the vault's commit, before the main one: on a slot, unknown here",
    "storing": "before the main commit: the same",
    "stored": "after the main commit, before the answer: done, nobody was told",
}
_WHERE = {
    "asking": ("main", "before", 1), "asked": ("main", "after", 1),
    "allocating": ("vault", "before", 1), "allocated": ("vault", "after", 1),
    "storing": ("main", "before", 2), "stored": ("main", "after", 2),
}  # fmt: skip


def _exit() -> None:
    os._exit(9)


def install(point, main, vault, die: Callable[[], None] = _exit):
    """Have this process die at `point` of its next randomization, between these databases."""
    side, when, nth = _WHERE[point]
    engine = (main if side == "main" else vault).engine
    reached = 0

    def count(*_):
        nonlocal reached
        reached += 1
        if reached == nth:
            die()

    if when == "before":
        event.listen(engine, "commit", count)
        return
    event.listen(Session, "after_commit", lambda session: session.bind is engine and count())
