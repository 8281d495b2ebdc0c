"""The steps of a ceremony, and which may come when. Pure.

A list is drawn (seed, beacon) or imported (a file). A step once done is never changed: there
is nothing to come back to, so that nobody can try until a list looks right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ecrf.kernel.access import Right
from ecrf.kernel.text import Message, T

NEEDED = 2
"""Signatures that activate a list."""


class Step(StrEnum):
    SPECIFY = "specification"
    SEAL = "seed"
    PLAN = "beacon plan"
    ANNOUNCE = "announcement"
    BEACON = "beacon"
    GENERATE = "generation"
    IMPORT = "import"
    EXPORT = "export"
    PUBLISH = "publication"
    REPRODUCE = "reproduction"
    ACTIVATE = "activation"
    ABANDON = "abandonment"


TITLES: Mapping[Step, Message] = {
    Step.SPECIFY: T("Specification signed"),
    Step.SEAL: T("Seed drawn and sealed"),
    Step.PLAN: T("Beacon chosen"),
    Step.ANNOUNCE: T("First publication filed"),
    Step.BEACON: T("Beacon value mixed in"),
    Step.GENERATE: T("List generated and sealed"),
    Step.IMPORT: T("List imported and sealed"),
    Step.EXPORT: T("Sealed copy handed out"),
    Step.PUBLISH: T("Second publication filed"),
    Step.REPRODUCE: T("List made again by a second person"),
    Step.ACTIVATE: T("Activation signed"),
    Step.ABANDON: T("Ceremony abandoned"),
}
MEANINGS: Mapping[Step, Message] = {
    Step.SPECIFY: T("This is the specification the protocol and its statistical plan ask for."),
    Step.SEAL: T("I had the seed drawn by the vault; I have not seen it."),
    Step.PLAN: T("This value is public and cannot be known or chosen by anyone beforehand."),
    Step.ANNOUNCE: T("I filed the first publication outside of this system, unchanged."),
    Step.BEACON: T("This is the value its source gave for the moment announced."),
    Step.GENERATE: T("I had the list made; I have not seen it."),
    Step.IMPORT: T("This is the list made elsewhere; I keep the file sealed and away."),
    Step.EXPORT: T("I hand the sealed copy to the second person and to nobody else."),
    Step.PUBLISH: T("I filed the second publication outside of this system, unchanged."),
    Step.REPRODUCE: T("I had the list made again on another machine and found this root."),
    Step.ACTIVATE: T("I checked the minutes and the publications; this list may serve."),
    Step.ABANDON: T("This list will never serve."),
}
NEEDS: Mapping[Step, Right] = {
    step: Right.LIST_ACTIVATE if step in (Step.REPRODUCE, Step.ACTIVATE) else Right.LIST_MANAGE
    for step in Step
}
DRAWN: Mapping[Step, Step] = {
    Step.SEAL: Step.SPECIFY,
    Step.PLAN: Step.SEAL,
    Step.ANNOUNCE: Step.PLAN,
    Step.BEACON: Step.ANNOUNCE,
    Step.GENERATE: Step.BEACON,
    Step.EXPORT: Step.GENERATE,
    Step.PUBLISH: Step.GENERATE,
    Step.REPRODUCE: Step.GENERATE,
    Step.ACTIVATE: Step.PUBLISH,
    Step.ABANDON: Step.SPECIFY,
}
IMPORTED: Mapping[Step, Step] = {
    Step.IMPORT: Step.SPECIFY,
    Step.EXPORT: Step.IMPORT,
    Step.PUBLISH: Step.IMPORT,
    Step.REPRODUCE: Step.IMPORT,
    Step.ACTIVATE: Step.PUBLISH,
    Step.ABANDON: Step.SPECIFY,
}
AGAIN = frozenset({Step.PLAN, Step.EXPORT, Step.REPRODUCE, Step.ACTIVATE})
MAKING = (Step.SEAL, Step.GENERATE, Step.IMPORT)


class Done(NamedTuple):
    """A step that was done: its facts, who, in which role, when."""

    step: Step
    content: Mapping[str, str]
    by_id: int
    by_name: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A ceremony as it stands: its steps in the order in which they were done."""

    study: str
    environment: str
    version: int
    imported: bool
    spec_hash: str
    software: str
    steps: tuple[Done, ...]

    def all(self, step: Step) -> tuple[Done, ...]:
        return tuple(done for done in self.steps if done.step is step)

    def fact(self, step: Step, name: str) -> str:
        """Return a fact of the last step of that kind; "" when there is none."""
        done = self.all(step)
        return done[-1].content.get(name, "") if done else ""

    @property
    def known_from(self) -> datetime:
        """The moment from which the beacon's value is known."""
        return datetime.fromisoformat(self.fact(Step.PLAN, "known_from"))

    @property
    def root(self) -> str:
        return self.fact(Step.IMPORT if self.imported else Step.GENERATE, "root")

    @property
    def agreed(self) -> bool:
        """Whether it was made again, and every time with the same root."""
        found = [done.content["root"] for done in self.all(Step.REPRODUCE)]
        return bool(found) and all(root == self.root for root in found)

    @property
    def disagreed(self) -> bool:
        return any(done.content["root"] != self.root for done in self.all(Step.REPRODUCE))

    @property
    def active(self) -> bool:
        return len(self.all(Step.ACTIVATE)) >= NEEDED

    @property
    def abandoned(self) -> bool:
        return bool(self.all(Step.ABANDON))


def to_come(standing: Standing) -> tuple[Step, ...]:
    """Return the steps that may still come, in the order of the ceremony."""
    if standing.abandoned or standing.active:
        return ()
    return tuple(
        step
        for step in (IMPORTED if standing.imported else DRAWN)
        if not (standing.all(step) and step not in AGAIN)
        and not (step is Step.PLAN and (standing.all(Step.ANNOUNCE) or not standing.all(step)))
    )


def why_not(standing: Standing, step: Step, by_id: int, at: datetime) -> Message | None:
    """Return why this step cannot be done now by this person; None when it can."""
    before = (IMPORTED if standing.imported else DRAWN).get(step)
    if standing.abandoned:
        return T("This ceremony was abandoned. Begin one for another list.")
    if standing.active:
        return T("The list is active; its ceremony is over.")
    if before is None:
        return T("A list that is drawn and one that is imported have different steps.")
    if not standing.all(before):
        return T("Something comes first: {step}.", step=TITLES[before])
    if standing.all(step) and step not in AGAIN:
        return T("This is done and never changed: {step}.", step=TITLES[step])
    return _special(standing, step, by_id, at)


def _special(standing: Standing, step: Step, by_id: int, at: datetime) -> Message | None:
    """Return what else stands in the way of some steps."""
    if step is Step.PLAN and standing.all(Step.ANNOUNCE):
        return T("This is done and never changed: {step}.", step=TITLES[Step.ANNOUNCE])
    if step is Step.ANNOUNCE and standing.known_from <= at:
        return T("The value of the beacon may be known by now. Choose a later one.")
    if step is Step.BEACON and at < standing.known_from:
        return T("The value cannot be known before {at} (UTC).",
                 at=standing.known_from.strftime("%Y-%m-%d %H:%M"))  # fmt: skip
    makers = {done.by_id for made in MAKING for done in standing.all(made)}
    if step is Step.REPRODUCE and by_id in makers:
        return T("Somebody who did not make the list has to make it again.")
    return _signing(standing, by_id) if step is Step.ACTIVATE else None


def _signing(standing: Standing, by_id: int) -> Message | None:
    if standing.disagreed:
        return T("Somebody who made the list again found another root. It can never serve; "
                 "abandon it.")  # fmt: skip
    if not standing.agreed:
        return T("A second person has to make the list again first.")
    if any(done.by_id == by_id for done in standing.all(Step.ACTIVATE)):
        return T("You have signed already; a second, different person has to.")
    return None
