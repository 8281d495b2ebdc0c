"""The states of a case and the moves between them. Pure.

What is not in the table cannot happen. `INFORMATION` waits for what a vote asked the site.
"""

from collections.abc import Mapping
from enum import StrEnum

from ecrf.kernel.errors import Conflict
from ecrf.kernel.text import Message, T


class State(StrEnum):
    SUSPECTED = "suspected"
    DRAFT = "package draft"
    COMPLETE = "package complete"
    ASSIGNED = "given out"
    REVIEW = "in review"
    INFORMATION = "information asked"
    AGREED = "agreed"
    DISCORDANT = "discordant"
    CHAIR = "with the chair"
    FINAL = "final"
    REOPENED = "re-opened"
    WITHDRAWN = "withdrawn"


S = State
MOVES: Mapping[State, frozenset[State]] = {
    S.SUSPECTED: frozenset({S.DRAFT, S.WITHDRAWN}),
    S.DRAFT: frozenset({S.COMPLETE, S.DRAFT, S.WITHDRAWN}),
    S.COMPLETE: frozenset({S.ASSIGNED, S.DRAFT, S.WITHDRAWN}),
    S.ASSIGNED: frozenset({S.ASSIGNED, S.REVIEW, S.REOPENED}),
    S.REVIEW: frozenset({S.REVIEW, S.AGREED, S.DISCORDANT, S.INFORMATION, S.REOPENED}),
    S.INFORMATION: frozenset({S.REOPENED}),
    S.AGREED: frozenset({S.FINAL}),
    S.DISCORDANT: frozenset({S.CHAIR, S.REOPENED}),
    S.CHAIR: frozenset({S.CHAIR, S.FINAL, S.REOPENED}),
    S.FINAL: frozenset({S.REOPENED}),
    S.REOPENED: frozenset({S.DRAFT}),
    S.WITHDRAWN: frozenset({S.SUSPECTED}),
}
NAMES: Mapping[State, Message] = {
    S.SUSPECTED: T("Suspected"),
    S.DRAFT: T("Dossier in preparation"),
    S.COMPLETE: T("Dossier complete"),
    S.ASSIGNED: T("Given to the committee"),
    S.REVIEW: T("In review"),
    S.INFORMATION: T("Information asked for"),
    S.AGREED: T("Agreed"),
    S.DISCORDANT: T("Discordant"),
    S.CHAIR: T("With the chair"),
    S.FINAL: T("Final"),
    S.REOPENED: T("Re-opened"),
    S.WITHDRAWN: T("Withdrawn"),
}
WITH_OFFICE = frozenset({S.SUSPECTED, S.DRAFT, S.COMPLETE, S.REOPENED})
SETTLED = frozenset({S.FINAL, S.WITHDRAWN})
WITH_COMMITTEE = frozenset({S.ASSIGNED, S.REVIEW, S.INFORMATION, S.DISCORDANT, S.CHAIR})


def require(now: State, then: State) -> None:
    """Refuse a move the table does not have."""
    if then not in MOVES[now]:
        raise Conflict(
            T(
                "The case is “{now}”; from there it cannot become “{then}”.",
                now=NAMES[now], then=NAMES[then],
            )
        )  # fmt: skip
