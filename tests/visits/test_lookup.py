from datetime import timedelta

import pytest
from sqlalchemy import event, update

from ecrf.kernel.access import Right
from tests import people
from tests.visits import cases
from tests.visits.cases import day
from tests.visits.trial import TRIAL
from visits import lookup, visits
from visits.tables import Visit

RANDOMIZED = day("2026-03-02")


def many(running, by, count, site="PUMCH", actor=people.CARL):
    """Enrol and randomize `count` participants, all on the same day."""
    codes = [cases.enrol(running, by, actor, site).code for _ in range(count)]
    for code in codes:
        cases.randomize(running, by, code, RANDOMIZED)
    return codes


def due(running, actor, today):
    with running.read() as session:
        return lookup.due(session, actor, TRIAL, day(today))


def keys(expected):
    return [(one.code, one.visit.key) for one in expected]


def test_everyone_sees_the_participants_of_their_sites(running, by):
    many(running, by, 2)
    many(running, by, 1, "BFH", people.BO)
    with running.read() as session:
        seen = {
            actor.name: [p.code for p in lookup.matrix(session, actor, TRIAL).participants]
            for actor in (people.CARL, people.BO, people.DORA, people.PAUL)
        }
    assert seen == {
        "Carl Wu": ["PUMCH-001", "PUMCH-002"],
        "Bo Zhang": ["BFH-001"],
        "Dora Chen": ["BFH-001", "PUMCH-001", "PUMCH-002"],
        "Paul Sun": [],
    }


def test_the_grid_can_be_narrowed_to_a_site_and_a_status(running, by):
    many(running, by, 1)
    many(running, by, 1, "BFH", people.BO)
    cases.enrol(running, by)
    with running.read() as session:
        found = lookup.matrix(session, people.DORA, TRIAL, site="PUMCH", status="screening")
    assert [who.code for who in found.participants] == ["PUMCH-002"]
    assert list(found.visits) == [found.participants[0].id]


def test_the_grid_holds_the_visits_in_the_order_of_the_schedule(running, by):
    [code] = many(running, by, 1)
    with running.write() as session:
        who = lookup.participant(session, people.CARL, TRIAL.id, code, Right.ENTRY_WRITE)
        visits.add(session, by(people.CARL), who, TRIAL, "UNS")
        visits.add(session, by(people.CARL), who, TRIAL, "UNS")
    with running.read() as session:
        [row] = lookup.matrix(session, people.CARL, TRIAL).visits.values()
    assert [visit.key for visit in row] == [
        "SCR", "BL", "W2s", "W4", "W8s", "W12", "W24", "W36", "W52", "UNS-1", "UNS-2", "SFU",
        "PFU", "LOG",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [5, 100])
def test_grid_and_due_list_cost_the_same_for_5_and_for_100_participants(
    running, by, statements, count
):
    many(running, by, count)
    with running.read() as session:
        with statements(running) as grid:
            assert len(lookup.matrix(session, people.DORA, TRIAL).participants) == count
        with statements(running) as waiting:
            found = lookup.due(session, people.CARL, TRIAL, day("2026-04-07"))
    assert len(found.overdue) == 3 * count
    assert (len(grid), len(waiting)) == (2, 1)


def test_visits_wait_from_the_week_before_their_window_opens(running, by):
    [code] = many(running, by, 1)
    cases.hold(running, by, code, "SCR", day("2026-02-20"))
    cases.hold(running, by, code, "BL", RANDOMIZED)
    opens = day("2026-03-23")

    def group(today):
        found = due(running, people.CARL, str(today))
        return [keys(some) for some in found]

    waiting = [(code, "W4")]
    assert group(opens - timedelta(days=15)) == [[], [], []]
    assert group(opens - timedelta(days=14)) == [[], [], waiting]
    assert group(opens - timedelta(days=7)) == [[], waiting, []]
    assert group(opens + timedelta(days=14)) == [[], waiting, []]
    assert group(opens + timedelta(days=15)) == [waiting, [], []]


def test_what_is_longest_overdue_comes_first(running, by):
    codes = many(running, by, 2)
    found = due(running, people.DORA, "2026-06-20")
    assert keys(found.overdue) == [
        (code, key) for key in ("SCR", "BL", "W4", "W12") for code in codes
    ]


def test_what_was_held_missed_or_optional_does_not_wait(running, by):
    [code] = many(running, by, 1)
    cases.hold(running, by, code, "SCR", day("2026-02-20"))
    cases.act(running, by, visits.miss, code, "BL", "Snow.")
    assert keys(due(running, people.CARL, "2026-03-17").overdue) == []


def test_what_waits_at_another_site_is_not_listed(running, by):
    many(running, by, 1)
    assert due(running, people.BO, "2026-06-20") == ((), (), ())


def test_the_list_of_what_is_due_is_found_by_its_index(running, by):
    many(running, by, 1)
    sent = []

    def hear(_connection, _cursor, statement, parameters, _context, _many):
        sent.append((statement, parameters))

    with running.read() as session:
        explain = "EXPLAIN QUERY PLAN "
        connection = session.connection()
        if running.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN "
        event.listen(running.engine, "before_cursor_execute", hear)
        lookup.due(session, people.DORA, TRIAL, day("2026-04-07"))
        event.remove(running.engine, "before_cursor_execute", hear)
        [(statement, parameters)] = sent
        plan = connection.exec_driver_sql(explain + statement, parameters)
        assert "ix_visit_study_due" in " ".join(str(row) for row in plan)


def test_the_strongest_lock_above_a_visit_is_the_one_that_holds(running, by):
    [code] = many(running, by, 1)
    with running.write() as session:
        session.execute(update(Visit).where(Visit.key == "W4").values(state="frozen"))
    with running.read() as session:
        found = lookup.visit(session, people.CARL, TRIAL.id, code, "W4", Right.ENTRY_READ)
        other = lookup.visit(session, people.CARL, TRIAL.id, code, "W12", Right.ENTRY_READ)
    assert (found.lock, other.lock, found.participant.lock) == ("frozen", "open", "open")


def test_sites_are_those_at_which_the_right_is_held(running):
    with running.read() as session:

        def codes(actor, right):
            return [site.code for site in lookup.sites(session, actor, TRIAL.id, right)]

        assert codes(people.CARL, Right.PARTICIPANT_ENROL) == ["PUMCH"]
        assert codes(people.DORA, Right.PARTICIPANT_READ) == ["BFH", "PUMCH", "SHUT"]
        assert codes(people.DORA, Right.PARTICIPANT_ENROL) == []
