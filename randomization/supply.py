"""The life of a kit, as a table. Pure.

A kit moves only as `MOVES` says. One that left the pharmacy never becomes available again.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    AVAILABLE = "available"
    ASSIGNED = "assigned"
    DISPENSED = "dispensed"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    EXPIRED = "expired"
    LOST = "lost"
    RETURNED = "returned"
    DESTROYED = "destroyed"


class Move(StrEnum):
    ASSIGN = "assign"
    DISPENSE = "dispense"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    REJECT = "reject"
    EXPIRE = "expire"
    LOSE = "lose"
    TAKE_BACK = "take back"
    DESTROY = "destroy"


MOVES: Mapping[tuple[State, Move], State] = {
    (State.AVAILABLE, Move.ASSIGN): State.ASSIGNED,
    (State.AVAILABLE, Move.QUARANTINE): State.QUARANTINED,
    (State.AVAILABLE, Move.EXPIRE): State.EXPIRED,
    (State.AVAILABLE, Move.LOSE): State.LOST,
    (State.ASSIGNED, Move.DISPENSE): State.DISPENSED,
    (State.ASSIGNED, Move.LOSE): State.LOST,
    (State.ASSIGNED, Move.REJECT): State.REJECTED,
    (State.QUARANTINED, Move.RELEASE): State.AVAILABLE,
    (State.QUARANTINED, Move.REJECT): State.REJECTED,
    (State.DISPENSED, Move.TAKE_BACK): State.RETURNED,
    (State.DISPENSED, Move.LOSE): State.LOST,
    (State.REJECTED, Move.DESTROY): State.DESTROYED,
    (State.EXPIRED, Move.DESTROY): State.DESTROYED,
    (State.RETURNED, Move.DESTROY): State.DESTROYED,
}


def after(state: State, move: Move) -> State | None:
    """Return the state after the move; None when the move is not allowed."""
    return MOVES.get((state, move))
