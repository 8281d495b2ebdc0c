"""The scenes of a participant's story, each carried out at its own time through the services.

A scene is one person's sitting: it runs in one transaction (randomization in its own), so that
what it leaves behind is what the pages would leave.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from ecrf.cli.demonstration import visiting
from ecrf.cli.demonstration.dispensary import Dispensary
from ecrf.cli.demonstration.stage import Stage
from ecrf.cli.demonstration.story import Contact, Story
from ecrf.kernel.access import Right, Role
from ecrf.kernel.ledger import By
from ecrf.study.model import VisitKind
from forms import needs
from visits import lookup, participants, schedule, visits

Scene = tuple[datetime, int, Callable[[], None]]


@dataclass(slots=True)
class Player:
    """One invented participant; `code` is known once they are enrolled."""

    stage: Stage
    dispensary: Dispensary
    number: int
    story: Story
    code: str = field(default="")
    randomized: bool = field(default=False)

    def scenes(self) -> Iterator[Scene]:
        """Yield what happens, with its instant; the number keeps equal instants in order."""
        story = self.story
        yield self._scene(story.screened_on, 9, self.screening)
        if story.fails:
            yield self._scene(story.screened_on + timedelta(days=3), 15, self.fail)
        if story.randomized_on is None:
            return
        yield self._scene(story.randomized_on, 9, self.baseline)
        for contact in story.contacts:
            on = contact.on or self._missed_on(contact)
            yield self._scene(on, 10, partial(self.contact, contact))
        if story.ends_early_on:
            yield self._scene(story.ends_early_on, 16, self.end_early)

    def screening(self) -> None:
        stage, site, on = self.stage, self.story.site, self.story.screened_on
        by = stage.by(stage.who(Role.INVESTIGATOR, site), stage.at(site, on, 9))
        with stage.database.write() as session:
            who = participants.enrol(session, by, stage.study, stage.fingerprint, site)
            self.code = who.code
        plan = schedule.screening_plan(stage.study)
        if plan is not None:
            failed = ("screen failed",) if self.story.fails else ()
            self.visit(plan.id, on, ("screening", *failed), careful=True)

    def fail(self) -> None:
        stage = self.stage
        by = self._by(self.story.screened_on + timedelta(days=3), 15)
        with stage.database.write() as session:
            who = lookup.participant(
                session, by.actor, stage.study.id, self.code, Right.PARTICIPANT_ENROL
            )
            participants.screen_fail(session, by, who, "An eligibility criterion is not met.")

    def baseline(self) -> None:
        """Hold the visit at which participants are randomized, randomize, dispense."""
        on, rule = self.story.randomized_on, self.stage.study.randomization
        if on is None or rule is None:
            return
        self.visit(rule.visit, on, careful=True)
        if self.dispensary.randomize(self._by(on, 11), self.code):
            self.randomized = True
            self._supply(rule.visit, on)

    def contact(self, contact: Contact) -> None:
        if not self.randomized:
            return
        if contact.on is None:
            self._miss(contact.plan, self._missed_on(contact))
            return
        key = self._added(contact) if contact.unplanned else contact.plan
        variants = ("relapse",) if contact.unplanned else ()
        self.visit(key, contact.on, variants)
        self._logs(key, contact.on)
        if contact.unplanned and self.stage.profile.happening:
            self._log(self.stage.profile.happening.log, key, contact.on, variants)
        else:
            self._supply(contact.plan, contact.on)

    def end_early(self) -> None:
        on, plan = self.story.ends_early_on, self.stage.profile.ends_at
        if not self.randomized or on is None or plan is None:
            return
        self.visit(self._added(Contact(plan, on)), on, ("ends early",))
        by, stage = self._by(on, 15), self.stage
        with stage.database.write() as session:
            who = lookup.participant(
                session, by.actor, stage.study.id, self.code, Right.ENTRY_WRITE
            )
            if who.status == participants.RANDOMIZED:
                participants.end(session, by, who, "Withdrew: moved to another city.")

    def visit(
        self, key: str, on: date, variants: tuple[str, ...] = (), *, careful: bool = False
    ) -> None:
        stage = self.stage
        by = self._by(on, 10)
        with stage.database.write() as session:
            visiting.enter(stage, session, by, self.code, key, on, variants, careful=careful)
            for form in visiting.signed_forms(stage, key.partition("-")[0]):
                visiting.sign(stage, session, self._investigator(on), self.code, key, form)

    def _logs(self, key: str, on: date) -> None:
        for form, log in sorted(self.stage.profile.logs.items()):
            if self.stage.choose.chance(log.percent):
                self._log(form, key, on)

    def _log(self, form_id: str, key: str, on: date, variants: tuple[str, ...] = ()) -> None:
        stage, form = self.stage, self.stage.study.forms[form_id]
        with stage.database.write() as session:
            number = visiting.next_number(stage, session, self.code, form_id)
            by, sources = self._by(on, 11), visiting.sources_of(stage, form_id, variants)
            visiting.save(stage, session, by, self.code, key, form, number, on, sources)
            if form.signed is not None:
                who = self._investigator(on)
                visiting.sign(stage, session, who, self.code, key, form, number)

    def _supply(self, visit: str, on: date) -> None:
        """Dispense, and fill the forms that show what was dispensed."""
        self._dispense(visit, on)
        stage, by = self.stage, self._by(on, 12)
        with stage.database.write() as session:
            visiting.enter_after_supply(stage, session, by, self.code, visit, on)

    def _dispense(self, visit: str, on: date) -> None:
        supply = self.stage.study.supply
        if supply and visit in supply.dispense:
            self.dispensary.dispense(self.story.site, self.code, visit, on)

    def _miss(self, key: str, on: date) -> None:
        stage, by = self.stage, self._by(on, 17)
        with stage.database.write() as session:
            found = lookup.visit(
                session, by.actor, stage.study.id, self.code, key, Right.ENTRY_WRITE
            )
            visits.miss(session, by, found, "The participant could not travel.")

    def _added(self, contact: Contact) -> str:
        """Add an unplanned visit, or return the key of a planned one without a number."""
        stage, by = self.stage, self._by(contact.on or self.story.screened_on, 9)
        if stage.study.visit[contact.plan].kind is VisitKind.PLANNED:
            return contact.plan
        with stage.database.write() as session:
            who = lookup.participant(
                session, by.actor, stage.study.id, self.code, Right.ENTRY_WRITE
            )
            key = visits.add(session, by, who, stage.study, contact.plan)
            needs.added(session, by, who, stage.study)
            return key

    def _missed_on(self, contact: Contact) -> date:
        """A visit is called missed two days after its window."""
        plan, anchor = self.stage.study.visit[contact.plan], self.story.randomized_on
        days = (plan.day or 1) + plan.after + 1
        return (anchor or self.story.screened_on) + timedelta(days=days)

    def _by(self, on: date, hour: int) -> By:
        stage, site = self.stage, self.story.site
        role = Role.COORDINATOR if (Role.COORDINATOR, site) in stage.cast else Role.INVESTIGATOR
        if hour in (11, 15):
            role = Role.INVESTIGATOR
        return stage.by(stage.who(role, site), stage.at(site, on, hour))

    def _investigator(self, on: date) -> By:
        stage, site = self.stage, self.story.site
        return stage.by(stage.who(Role.INVESTIGATOR, site), stage.at(site, on, 10, 40))

    def _scene(self, on: date, hour: int, act: Callable[[], None]) -> Scene:
        return self.stage.at(self.story.site, on, hour), self.number, act
