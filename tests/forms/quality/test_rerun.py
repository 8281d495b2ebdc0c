"""All checks run again as a job: in steps, resumable, without effect the second time."""

import pytest
from sqlalchemy import select, update

from ecrf.kernel import jobs
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.jobs import Job
from ecrf.kernel.ledger import LEDGER
from forms.answers import Given
from forms.quality import rerun
from forms.tables import Entry, Query
from tests import people

WORKS = {rerun.KIND: rerun.work(Seeded(b"job"))}


@pytest.fixture
def bent(desk):
    """A computed answer and a query that no longer fit the answers they stand beside."""
    desk.save({"sbp": "120", "weight": Given("60", "kg")}, visit="SCR", complete=True)
    desk.save({"sbp": "200", "weight": Given("61", "kg")}, visit="BL", complete=True)
    with desk.database.write() as session:
        document = dict(session.get(Entry, 2).answers)
        document["gain"] = {"text": "9", "value": "9"}
        session.execute(update(Entry).where(Entry.id == 2).values(answers=document))
        session.execute(Query.__table__.delete())
    return desk


def asked(desk):
    with desk.database.write() as session:
        return rerun.ask(session, desk.by(people.DORA), people.STUDY)


def test_the_job_computes_anew_opens_queries_and_changes_nothing_the_second_time(bent):
    number = asked(bent)
    assert asked(bent) == number  # the same request waits already
    assert jobs.run(bent.database, WORKS, "one", lambda: people.NOON)
    assert not jobs.run(bent.database, WORKS, "one", lambda: people.NOON)
    with bent.database.read() as session:
        job = session.get(Job, number)
        assert (job.state, job.progress, job.total) == ("done", 2, 2)
        assert job.result == {
            "participants": 2, "recomputed": 1, "opened": 1, "closed": 0, "locked": 0,
        }  # fmt: skip
        assert session.get(Entry, 2).answers["gain"]["value"] == "1.0"
        assert session.scalars(select(Query.rule)).all() == ["soft_limit"]
        header = session.scalars(
            select(LEDGER.act.c.header).where(LEDGER.act.c.action == "entry:recompute")
        ).one()
        assert '"origin":"job"' in header
        assert f'"cause":{{"job":{number}}}' in header
    asked(bent)
    jobs.run(bent.database, WORKS, "two", lambda: people.NOON)
    with bent.database.read() as session:
        assert jobs.listing(session, people.STUDY, rerun.KIND)[0].result["recomputed"] == 0


def test_a_worker_that_died_leaves_its_job_to_the_next_one_where_it_stopped(bent):
    asked(bent)

    class Died(Exception):
        pass

    steps = []

    def dies(session, taken, at):
        steps.append(taken.cursor)
        if len(steps) == 2:
            raise Died
        return WORKS[rerun.KIND](session, taken, at)

    with pytest.raises(Died):
        jobs.run(bent.database, {rerun.KIND: dies}, "one", lambda: people.NOON)
    assert not jobs.run(bent.database, WORKS, "two", lambda: people.NOON)  # the lease stands
    later = people.NOON + 2 * jobs.LEASE
    assert jobs.run(bent.database, WORKS, "two", lambda: later)
    with bent.database.read() as session:
        job = session.scalars(select(Job)).one()
        assert (job.state, job.progress, job.result["participants"]) == ("done", 2, 2)


def test_only_who_cleans_the_data_asks_for_it(desk):
    with pytest.raises(NotAllowed), desk.database.write() as session:
        rerun.ask(session, desk.by(people.CARL), people.STUDY)
