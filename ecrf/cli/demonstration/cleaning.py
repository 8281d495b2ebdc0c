"""What data management does about data quality: a rule of its own, all checks run again."""

from datetime import date, timedelta

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel import jobs
from ecrf.kernel.access import Role
from ecrf.kernel.ledger import By
from forms.quality import own, rerun, running
from forms.quality.own import Wanted

RULE = Wanted(
    "DQ01", "vs", "pulse", "pulse > 100", "Pulse above 100: was the participant at rest?"
)


def check_again(stage: Stage, on: date) -> None:
    """Run every check of the study again over what has been entered by then."""
    by = _manager(stage, on)
    with stage.database.write() as session:
        rerun.ask(session, by, stage.study.id)
    works = {rerun.KIND: rerun.work(by.draw)}
    while jobs.run(stage.database, works, "training copy", lambda: by.at):
        pass


def play(stage: Stage, today: date) -> None:
    """Make the rule, and set one discrepancy aside."""
    by, study = _manager(stage, today - timedelta(days=1)), stage.study.id
    if own.problems(stage.study, RULE):
        return
    with stage.database.write() as session:
        own.put(session, by, stage.study, RULE)
        found = next(running.run(session, by.actor, study, ["D"]), None)
        if found is not None:
            place = (study, found.entry_id, found.item, found.rule)
            running.exclude(session, by, *place, "Compared with the source: it is right.")


def _manager(stage: Stage, on: date) -> By:
    site = stage.study.sites[0].code
    return stage.by(stage.who(Role.DATA_MANAGER, None), stage.at(site, on, 16))
