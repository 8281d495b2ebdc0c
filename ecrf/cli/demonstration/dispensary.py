"""The vault's side of a demonstration: the list, the shelves, randomizing and dispensing."""

from dataclasses import dataclass
from datetime import date, timedelta

from ecrf.cli.demonstration import ceremonial
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.kernel.ledger import By
from ecrf.study import strata
from ecrf.study.model import Randomization
from ecrf.web import randomize
from forms import randomizing
from randomization import api
from randomization.supplying import api as supplies
from visits import lookup, randomized
from visits.randomized import Known

KIT_LIFE = timedelta(days=6 * 365)
LIST = 1
DEPOT_SETS = 40


def arms(rule: Randomization) -> list[str]:
    """Return the arms in the order in which list and kits are made from them."""
    return sorted(rule.ratio)


@dataclass(frozen=True, slots=True)
class Dispensary:
    """What the unblinded side does in a demonstration, and the client the blinded side has."""

    stage: Stage
    vault: api.Vault

    def stock(self, by: By) -> None:
        """Make, publish and activate the list, and fill the shelves of every site."""
        study, rule = self.stage.study, self.stage.study.randomization
        if rule is None:
            return
        spec = api.Spec(
            study.id, LIST, self.vault.environment, "permuted_block",
            tuple((arm, rule.ratio[arm]) for arm in arms(rule)),
            {"sizes": self.stage.profile.blocks},
            strata.names(study), rule.slots_per_stratum,
        )  # fmt: skip
        ceremonial.make(self.stage, self.vault, by, spec)
        for site in study.sites if study.supply else ():
            each = self.stage.profile.kits_per_site // len(rule.ratio)
            contents = dict.fromkeys(arms(rule), each)
            packing = api.Packing(
                study.id, site.code, "P-001", by.at.date() + KIT_LIFE, contents
            )
            api.register_kits(self.vault, by, packing)
        if study.supply:
            contents = {arm: DEPOT_SETS * each for arm, each in rule.ratio.items()}
            expiry = by.at.date() + KIT_LIFE
            packing = api.Packing(study.id, supplies.DEPOT, "P-002", expiry, contents)
            api.register_kits(self.vault, by, packing)

    def resupply(self, today: date) -> None:
        """Leave one shipment on its way and one order to be approved, for whoever tries it."""
        supplier = self.stage.cast.get((Role.SUPPLIER, None))
        if self.stage.study.supply is None or supplier is None:
            return
        site = self.stage.study.sites[0].code
        at = self.stage.at(site, today - timedelta(days=1), 15)
        pharmacist = self.stage.by(self.stage.who(Role.PHARMACIST, site), at)
        goods, _ = [
            supplies.order(self.vault, pharmacist, self.stage.study.id, site, sets)
            for sets in (3, 6)
        ]
        for step in (supplies.approve, supplies.pick, supplies.dispatch):
            step(self.vault, self.stage.by(supplier, at), goods)

    def randomize(self, by: By, code: str) -> bool:
        """Randomize if everything that must be true is; say whether it was."""
        stage, client = self.stage, randomize.Client(self.vault)
        with stage.database.read() as session:
            if not randomizing.find(session, by, stage.study.id, code).met:
                return False
        randomize.randomize_one(stage.database, by, client, stage.study.id, code)
        return True

    def dispense(self, site: str, code: str, visit: str, on: date) -> None:
        """Take the kits of the visit from the shelf, hand them out, tell the blinded side."""
        stage, supply = self.stage, self.stage.study.supply
        if supply is None:
            return
        by = stage.by(stage.who(Role.PHARMACIST, site), stage.at(site, on, 11, 30))
        with stage.database.read() as session:
            who = lookup.participant(
                session, by.actor, stage.study.id, code, Right.KIT_DISPENSE
            )
        if who.randomized_on is None:
            return
        wanted = api.Visit(stage.study.id, site, code, visit)
        until = randomized.covered_until(stage.study, visit, who.randomized_on)
        count = supply.dispense[visit]
        numbers = api.assign_kits(self.vault, by, wanted, count, until)
        for number in numbers:
            api.dispense(self.vault, by, wanted, number)
        with stage.database.write() as session:
            kits = [Known(number, visit, dispensed=True) for number in numbers]
            randomized.follow(session, by, who, kits)
