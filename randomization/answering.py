"""An opened vault as the front door gives it: it answers what the blinded side may ask.

The rights are asked for here again, whatever the blinded side checked.
"""

from dataclasses import dataclass
from datetime import date

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from randomization import allocate, kits, opened, shown, verify
from randomization.asking import Checked, KitNumber, Request, Visit
from randomization.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Vault(opened.Vault):
    """What opens arms, and `asking.Answers` to the four questions."""

    def randomize(self, by: By, asked: Request) -> Receipt:
        return allocate.randomize(self, by, asked)

    def assign_kits(
        self, by: By, visit: Visit, count: int, usable_until: date
    ) -> tuple[str, ...]:
        return kits.assign(self, by, visit, count, usable_until)

    def release_kits(self, by: By, visit: Visit) -> tuple[KitNumber, ...]:
        """Return the numbers for the visit to who follows the participant or hands kits out."""
        rights = (Right.PARTICIPANT_READ, Right.KIT_DISPENSE)
        if not any(by.actor.may(right, visit.study, visit.site) for right in rights):
            opened.permitted(by, Right.KIT_DISPENSE, visit.study, visit.site)
        with opened.one_silence(by):
            known = shown.kit_numbers(self, visit.study, visit.site, visit.participant)
        return tuple(kit for kit in known if kit.visit == visit.visit)

    def verify(self, by: By, study: str) -> Checked:
        """Check the whole vault of the study for who may read its ledger."""
        if not by.actor.may(Right.LEDGER_READ, study):
            raise NotAllowed(T("Your role does not include this."))
        with opened.one_silence(by):
            found = verify.verify(self, study)
        return Checked(found.slots, found.allocations, len(found.flaws))
