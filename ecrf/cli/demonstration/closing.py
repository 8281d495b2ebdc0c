"""The lock ladder as a newcomer finds it: a form locked, an unlock that waits for approval."""

from collections.abc import Iterator
from datetime import date, timedelta

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.kernel.checkpoints import Desk
from ecrf.kernel.ledger import By
from forms import gates, locking, scope
from forms.review import listing
from forms.review.listing import Filters
from forms.scope import Scope
from forms.unlocking import turns


def play(stage: Stage, desk: Desk, today: date) -> None:
    """Lock the first form in whose way nothing stands; then ask to have it unlocked."""
    site = stage.study.sites[0].code
    on = today - timedelta(days=1)
    by = stage.by(stage.who(Role.DATA_MANAGER, None), stage.at(site, on, 18))
    for target in _candidates(stage, by, site):
        with stage.database.write() as session:
            if gates.open_ends(session, target, by.at):
                continue
            zone = stage.zone(site)
            locking.lock(session, by, desk, target, "Verified and signed", zone)
            until = stage.at(site, today + timedelta(days=7), 18)
            reason = "The source has another value for one item"
            turns.ask(session, by, target, reason, until, ())
        return


def _candidates(stage: Stage, by: By, site: str) -> Iterator[Scope]:
    """Yield the forms of the site that are complete and verified."""
    with stage.database.read() as session:
        lines = listing.page(session, by.actor, stage.study, Filters(site=site)).lines
        found = [
            scope.find(
                session, by.actor, Right.DATA_LOCK, stage.study.id, participant=line.code,
                visit=line.visit, form=line.form.id, number=line.number,
            )
            for line in lines
            if line.status == "complete" and not line.tally.remaining
        ]  # fmt: skip
    yield from found
