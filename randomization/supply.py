"""The life of a kit, as a table. Pure.

A kit moves only as `MOVES` says. One that left the pharmacy never becomes available again.
What was held in quarantine goes back to where it was: depot, shelf, or the visit it is for.
"""

from collections.abc import Mapping
from enum import StrEnum

from ecrf.kernel.text import T, Text

DEPOT = "depot"
"""Where kits lie that were sent nowhere; no code of a site is written in small letters."""


class State(StrEnum):
    IN_DEPOT = "in depot"
    PACKED = "packed"
    IN_TRANSIT = "in transit"
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
    PACK = "pack"
    UNPACK = "unpack"
    SEND = "send"
    RECEIVE = "receive"
    ASSIGN = "assign"
    DISPENSE = "dispense"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    RELEASE_TO_DEPOT = "release to depot"
    RELEASE_TO_VISIT = "release to visit"
    REJECT = "reject"
    EXPIRE = "expire"
    LOSE = "lose"
    TAKE_BACK = "take back"
    RETURN_DAMAGED = "return damaged"
    DESTROY = "destroy"


MOVES: Mapping[tuple[State, Move], State] = {
    (State.IN_DEPOT, Move.PACK): State.PACKED,
    (State.IN_DEPOT, Move.QUARANTINE): State.QUARANTINED,
    (State.IN_DEPOT, Move.EXPIRE): State.EXPIRED,
    (State.PACKED, Move.UNPACK): State.IN_DEPOT,
    (State.PACKED, Move.QUARANTINE): State.QUARANTINED,
    (State.PACKED, Move.SEND): State.IN_TRANSIT,
    (State.IN_TRANSIT, Move.RECEIVE): State.AVAILABLE,
    (State.IN_TRANSIT, Move.QUARANTINE): State.QUARANTINED,
    (State.IN_TRANSIT, Move.LOSE): State.LOST,
    (State.AVAILABLE, Move.ASSIGN): State.ASSIGNED,
    (State.AVAILABLE, Move.QUARANTINE): State.QUARANTINED,
    (State.AVAILABLE, Move.EXPIRE): State.EXPIRED,
    (State.AVAILABLE, Move.LOSE): State.LOST,
    (State.ASSIGNED, Move.DISPENSE): State.DISPENSED,
    (State.ASSIGNED, Move.QUARANTINE): State.QUARANTINED,
    (State.ASSIGNED, Move.EXPIRE): State.EXPIRED,
    (State.ASSIGNED, Move.LOSE): State.LOST,
    (State.ASSIGNED, Move.REJECT): State.REJECTED,
    (State.QUARANTINED, Move.RELEASE): State.AVAILABLE,
    (State.QUARANTINED, Move.RELEASE_TO_DEPOT): State.IN_DEPOT,
    (State.QUARANTINED, Move.RELEASE_TO_VISIT): State.ASSIGNED,
    (State.QUARANTINED, Move.REJECT): State.REJECTED,
    (State.DISPENSED, Move.TAKE_BACK): State.RETURNED,
    (State.DISPENSED, Move.RETURN_DAMAGED): State.REJECTED,
    (State.DISPENSED, Move.LOSE): State.LOST,
    (State.REJECTED, Move.DESTROY): State.DESTROYED,
    (State.EXPIRED, Move.DESTROY): State.DESTROYED,
    (State.RETURNED, Move.DESTROY): State.DESTROYED,
}


def after(state: State, move: Move) -> State | None:
    """Return the state after the move; None when the move is not allowed."""
    return MOVES.get((state, move))


STATES: Mapping[State, Text] = {
    State.IN_DEPOT: T("in depot"),
    State.PACKED: T("packed"),
    State.IN_TRANSIT: T("in transit"),
    State.AVAILABLE: T("available"),
    State.ASSIGNED: T("assigned"),
    State.DISPENSED: T("dispensed"),
    State.QUARANTINED: T("quarantined"),
    State.REJECTED: T("rejected"),
    State.EXPIRED: T("expired"),
    State.LOST: T("lost"),
    State.RETURNED: T("returned"),
    State.DESTROYED: T("destroyed"),
}
