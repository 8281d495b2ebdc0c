"""What the vault is told of coming visits: numbers of kits for each site, and nothing more."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy.orm import Session

from ecrf.kernel.people import Site
from ecrf.study.model import Study
from ecrf.study.stocking import Stocking
from randomization.supplying import api
from visits import projecting


def plan(session: Session, study: Study, sites: Sequence[Site], today: date) -> api.Resupply:
    """Return the plan of a resupply: the study's rule and the needs of the sites."""
    rule = study.supply.stocking if study.supply else Stocking()
    soon = projecting.needed(session, study, today, rule.trigger_days)
    later = projecting.needed(session, study, today, rule.resupply_days)
    wanted = [
        api.Need(site.code, soon.get(site.code, 0), later.get(site.code, 0)) for site in sites
    ]
    until = today + timedelta(days=rule.trigger_days + rule.margin)
    given = api.Rule(api.Mode(rule.mode), rule.seed, rule.low, rule.high)
    return api.Resupply(study.id, given, wanted, today, until)
