"""What the vault is told of coming visits: kits by site, from dates and statuses alone."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from ecrf.web.vault.supply import needs
from tests.people import ANNA, STUDY
from tests.web.test_randomize import (  # noqa: F401
    CODE,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    trial,
)
from visits import lookup, projecting
from visits.tables import KitGiven, Visit

TODAY = date(2026, 3, 2)


def needed(database, study, days):  # noqa: F811
    with database.read() as session:
        return projecting.needed(session, study, TODAY, days)


def test_whoever_is_screened_may_start_and_counts_with_the_first_supply(database, study):  # noqa: F811
    assert needed(database, study, 0) == {"PUMCH": study.supply.dispense["BL"]}


@pytest.mark.req("L7")
def test_planned_visits_within_the_days_count_less_what_is_assigned(
    database,  # noqa: F811
    study,
    visitor,
):
    """Baseline's two kits are assigned; week 4 opens after about four weeks, week 12 later."""
    confirm(visitor(ANNA))
    with database.read() as session:
        opens = dict(map(tuple, session.execute(select(Visit.key, Visit.first))))
        assert len(session.scalars(select(KitGiven.number)).all()) == 2
    assert needed(database, study, 0) == {"PUMCH": 0}
    for key, wanted in (("W4", 3), ("W12", 3 + 4), ("W24", 3 + 4 + 4)):
        days = (opens[key] - TODAY).days
        assert needed(database, study, days)["PUMCH"] == wanted
        assert needed(database, study, days - 1)["PUMCH"] < wanted
    with database.write() as session:
        session.execute(update(Visit).where(Visit.key == "W4").values(status="missed"))
    assert needed(database, study, (opens["W4"] - TODAY).days) == {"PUMCH": 0}


def test_the_plan_has_the_studys_rule_and_every_site(database, study):  # noqa: F811
    from ecrf.kernel.access import Right

    with database.read() as session:
        sites = lookup.sites(session, ANNA, STUDY, Right.PARTICIPANT_READ)
        plan = needs.plan(session, study, sites, TODAY)
    rule = study.supply.stocking
    assert (plan.rule.mode, plan.rule.seed, plan.rule.low) == (rule.mode, rule.seed, rule.low)
    assert [(need.site, need.soon, need.later) for need in plan.needs] == [("PUMCH", 2, 2)]
    assert plan.usable_until == TODAY + timedelta(days=rule.trigger_days + rule.margin)
