"""What data management does about data quality: a rule of its own, all checks run again."""

from datetime import date, timedelta

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel import jobs
from ecrf.kernel.access import Role
from forms.quality import own, rerun, running
from forms.quality.own import Wanted

RULE = Wanted(
    "DQ01", "vs", "pulse", "pulse > 100", "Pulse above 100: was the participant at rest?"
)


def play(stage: Stage, today: date) -> None:
    """Make the rule, set one discrepancy aside, and run every check of the study again."""
    manager = stage.who(Role.DATA_MANAGER, None)
    site = stage.study.sites[0].code
    by = stage.by(manager, stage.at(site, today - timedelta(days=1), 16))
    study = stage.study.id
    if own.problems(stage.study, RULE):
        return
    with stage.database.write() as session:
        own.put(session, by, stage.study, RULE)
        found = next(running.run(session, manager, study, ["D"]), None)
        if found is not None:
            place = (study, found.entry_id, found.item, found.rule)
            running.exclude(session, by, *place, "Compared with the source: it is right.")
        rerun.ask(session, by, study)
    works = {rerun.KIND: rerun.work(by.draw)}
    while jobs.run(stage.database, works, "training copy", lambda: by.at):
        pass
