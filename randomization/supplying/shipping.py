"""The life of a shipment, as a table. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from ecrf.kernel.text import T, Text


class Stage(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PICKED = "picked"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    APPROVE = "approve"
    PICK = "pick"
    DISPATCH = "dispatch"
    SCAN = "scan"
    RECEIVE = "receive"
    CLOSE = "close"
    CANCEL = "cancel"


STEPS: Mapping[tuple[Stage, Step], Stage] = {
    (Stage.REQUESTED, Step.APPROVE): Stage.APPROVED,
    (Stage.REQUESTED, Step.CANCEL): Stage.CANCELLED,
    (Stage.APPROVED, Step.PICK): Stage.PICKED,
    (Stage.APPROVED, Step.CANCEL): Stage.CANCELLED,
    (Stage.PICKED, Step.DISPATCH): Stage.DISPATCHED,
    (Stage.PICKED, Step.CANCEL): Stage.CANCELLED,
    (Stage.DISPATCHED, Step.SCAN): Stage.DISPATCHED,
    (Stage.DISPATCHED, Step.RECEIVE): Stage.RECEIVED,
    (Stage.RECEIVED, Step.CLOSE): Stage.CLOSED,
}

STAGES: Mapping[Stage, Text] = {
    Stage.REQUESTED: T("requested"),
    Stage.APPROVED: T("approved"),
    Stage.PICKED: T("picked"),
    Stage.DISPATCHED: T("dispatched"),
    Stage.RECEIVED: T("received"),
    Stage.CLOSED: T("closed"),
    Stage.CANCELLED: T("cancelled"),
}


def after(stage: Stage, step: Step) -> Stage | None:
    """Return the stage after the step; None when the step is not allowed."""
    return STEPS.get((stage, step))
