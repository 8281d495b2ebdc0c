"""How every state is shown: an icon, a word and a colour, the same on each page."""

from collections.abc import Mapping
from typing import NamedTuple

from ecrf.kernel.text import Message, T


class Sign(NamedTuple):
    """The icon and the word of a state; `colour` is the end of its class `ec-status--…`."""

    icon: str
    word: Message
    colour: str


SIGNS: Mapping[str, Sign] = {
    "unlock asked": Sign("◇", T("Asked for"), "due"),
    "unlock approved": Sign("◐", T("Unlocked"), "warning"),
    "unlock ended": Sign("▣", T("Ended: locked"), "locked"),
    "unlock closed": Sign("▣", T("Locked again"), "locked"),
    "unlock refused": Sign("✕", T("Refused"), "failed"),
    "locked": Sign("▣", T("Locked"), "locked"),
    "frozen": Sign("❄\ufe0e", T("Frozen"), "frozen"),
    "open": Sign("○", T("Open"), "open"),
    "has queries": Sign("?", T("Has queries"), "query"),
    "overdue": Sign("!", T("Overdue"), "overdue"),
    "in progress": Sign("◐", T("In progress"), "draft"),
    "signed": Sign("✎", T("Signed"), "signed"),
    "complete": Sign("✓", T("Complete"), "complete"),
    "missed": Sign("✕", T("Missed"), "missed"),
    "not done": Sign("∅", T("Not done"), "not-done"),
    "due": Sign("◇", T("Due"), "due"),
    "soon": Sign("◇", T("Soon"), "planned"),
    "not started": Sign("○", T("Not started"), "planned"),
    "answered": Sign("↩\ufe0e", T("Answered"), "answered"),
    "to sign": Sign("✎", T("To sign"), "warning"),
    "screening": Sign("◇", T("Screening"), "due"),
    "screen failed": Sign("✕", T("Screen failed"), "failed"),
    "randomized": Sign("◆", T("Randomized"), "randomized"),
    "ended": Sign("■", T("Ended"), "ended"),
    "to verify": Sign("◇", T("To verify"), "due"),
    "partly verified": Sign("◐", T("Partly verified"), "draft"),
    "changed since verified": Sign("!", T("Changed since verified"), "overdue"),
    "verified": Sign("✓", T("Verified"), "complete"),
    "nothing to verify": Sign("–", T("Nothing to verify"), "planned"),
    "broken": Sign("✕", T("Signature broken"), "overdue"),
    "none needed": Sign("–", T("No signature needed"), "planned"),
    "reviewed": Sign("✓", T("Reviewed"), "complete"),
    "not reviewed": Sign("○", T("Not reviewed"), "planned"),
    "changed since": Sign("!", T("Changed since"), "overdue"),
    "gone": Sign("✕", T("Lost or spoilt"), "missed"),
    "after unblinding": Sign("⚠\ufe0e", T("Entered after unblinding"), "unblinded"),
    "code broken": Sign("⚠\ufe0e", T("Code broken"), "unblinded"),
    "alert": Sign("⚠\ufe0e", T("Safety alert"), "overdue"),
    "acknowledged": Sign("✓", T("Acknowledged"), "complete"),
    "withdrawn": Sign("–", T("Withdrawn"), "planned"),
    "staged": Sign("◇", T("To look at"), "due"),
    "accepting": Sign("◐", T("Being taken in"), "draft"),
    "accepted": Sign("✓", T("Taken in"), "complete"),
    "dropped": Sign("∅", T("Put away"), "not-done"),
    "new": Sign("+", T("New"), "due"),
    "change": Sign("≠", T("Changes an answer"), "warning"),
    "same": Sign("=", T("No change"), "planned"),
    "wrong": Sign("✕", T("Cannot be taken"), "overdue"),
    "refused": Sign("✕", T("Refused"), "overdue"),
    "done": Sign("✓", T("Done"), "complete"),
    "assigned": Sign("◇", T("Assigned"), "due"),
    "dispensed": Sign("✓", T("Dispensed"), "done"),
}
NEEDS: Mapping[str, Message] = {
    "required": T("required"),
    "conditional": T("if it applies"),
    "optional": T("optional"),
    "event": T("when it happens"),
    "not needed": T("not needed"),
}


RULES: Mapping[str, Message] = {
    "required": T("an answer is required"),
    "soft_limit": T("unusual value"),
    "outdated": T("computed value out of date"),
    "inapplicable": T("does not apply"),
    "closed_cell": T("is not asked here"),
}
"""The rules every form has; a check of the study is named by its id."""


def rule(name: str) -> Message | str:
    """Return what a rule is called; anything else as it stands."""
    return RULES.get(name, name)


def sign(state: str) -> Sign:
    """Return how a state is shown; an unknown one is a mistake of the program."""
    return SIGNS[state]


def need(letter: str) -> Message:
    """Return how strongly the schedule asks for a form."""
    return NEEDS[letter]
