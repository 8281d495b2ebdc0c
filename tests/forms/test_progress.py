from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from forms import casebook, progress
from forms.casebook import Counts
from forms.tables import Entry, Query
from tests import people
from tests.visits import cases
from tests.visits.begun import FINGERPRINT, begin
from tests.visits.cases import day
from tests.visits.trial import TRIAL
from visits.tables import Participant, Visit

RANDOMIZED = day("2026-03-02")


@pytest.fixture
def running(database, by):
    """The database with the small trial in force; two sites are open, one is not."""
    return begin(database, by)


@pytest.fixture
def trial(running, by):
    """The running trial; one participant at PUMCH, screened and randomized."""
    enter(running, by)
    return running


def enter(database, by, actor=people.CARL, site="PUMCH"):
    code = cases.enrol(database, by, actor, site).code
    cases.hold(database, by, code, "SCR", day("2026-02-20"), actor=actor)
    cases.randomize(database, by, code, RANDOMIZED)
    return code


def fill(database, code, key, form, status="complete", number=1, **more):
    """Store an entry as it is after it was saved."""
    with database.write() as session:
        visit = session.execute(
            select(Visit.id, Visit.participant_id)
            .join(Participant, Participant.id == Visit.participant_id)
            .where(Participant.code == code, Visit.key == key)
        ).one()
        return session.scalar(
            insert(Entry)
            .values(
                participant_id=visit.participant_id, visit_id=visit.id, form=form,
                number=number, protocol=FINGERPRINT, status=status, answers={}, version=1,
                saved_at=people.NOON, saved_by=people.CARL.id, **more,
            )
            .returning(Entry.id)
        )  # fmt: skip


def ask(database, entry_id, item="note", status="open", at=people.NOON):
    with database.write() as session:
        found = session.execute(
            select(
                Entry.participant_id, Participant.site, Entry.visit_id, Entry.form, Entry.number
            )
            .join(Participant, Participant.id == Entry.participant_id)
            .where(Entry.id == entry_id)
        ).one()
        session.execute(
            insert(Query).values(
                entry_id=entry_id, participant_id=found.participant_id, study=TRIAL.id,
                site=found.site, visit_id=found.visit_id, form=found.form, number=found.number,
                item=item, status=status, text_en="Why?", text_zh="为什么？",
                opened_at=at,
            )
        )  # fmt: skip


def counts(database, key, actor=people.DORA):
    with database.read() as session:
        found = progress.by_visit(session, actor, TRIAL, site=None, status=None)
        visit_id = session.scalar(select(Visit.id).where(Visit.key == key))
        return found.get(visit_id)


def test_entries_and_queries_are_counted_for_each_visit(trial):
    ask(trial, fill(trial, "PUMCH-001", "SCR", "dm"))
    signed = fill(trial, "PUMCH-001", "SCR", "vs", "draft")
    ask(trial, signed, "a")
    ask(trial, signed, "b", "answered")
    ask(trial, signed, "c", "closed")
    assert counts(trial, "SCR") == Counts(
        drafts=1, complete=1, not_done=0, required=1, queries=2, answered=1
    )
    assert counts(trial, "W4") is None


def test_a_required_form_that_was_not_done_is_there_and_an_optional_one_does_not_count(trial):
    fill(trial, "PUMCH-001", "W4", "vs", "not done")
    fill(trial, "PUMCH-001", "W4", "dm")
    found = counts(trial, "W4")
    assert (found.complete, found.not_done, found.required) == (1, 1, 1)
    assert casebook.missing(TRIAL, "W4", found) == 0


def test_repeats_of_a_log_form_are_all_counted(trial):
    for number in (1, 2, 3):
        fill(trial, "PUMCH-001", "LOG", "ae", number=number)
    assert counts(trial, "LOG").complete == 3


def test_the_other_site_s_entries_are_not_counted(trial):
    ask(trial, fill(trial, "PUMCH-001", "SCR", "dm"))
    assert counts(trial, "SCR", people.BO) is None


def groups(database, actor):
    with database.read() as session:
        return {
            "drafts": progress.drafts(session, actor, TRIAL),
            "unsigned": progress.unsigned(session, actor, TRIAL),
            "incomplete": progress.incomplete(session, actor, TRIAL),
            "queries": progress.queries(session, actor, TRIAL.id),
        }


def test_drafts_wait_the_oldest_first(trial):
    fill(trial, "PUMCH-001", "SCR", "dm", "draft")
    fill(trial, "PUMCH-001", "SCR", "vs")
    found = groups(trial, people.CARL)["drafts"]
    assert [(line.code, line.visit, line.form) for line in found.lines] == [
        ("PUMCH-001", "SCR", "dm")
    ]
    assert found.total == 1


def test_only_complete_forms_that_ask_for_it_wait_for_a_signature_until_it_stands(trial):
    fill(trial, "PUMCH-001", "SCR", "dm")
    fill(trial, "PUMCH-001", "SCR", "vs", "draft")
    fill(trial, "PUMCH-001", "BL", "vs")
    fill(trial, "PUMCH-001", "W4", "vs", signed_version=1)
    fill(trial, "PUMCH-001", "W12", "vs", signed_version=0)
    found = groups(trial, people.ANNA)["unsigned"]
    assert {line.visit for line in found.lines} == {"BL", "W12"}


def test_a_visit_held_waits_until_every_required_form_is_there(trial):
    def waiting():
        return [(v.visit, v.there) for v in groups(trial, people.CARL)["incomplete"].lines]

    assert waiting() == [("SCR", 0)]
    fill(trial, "PUMCH-001", "SCR", "vs")
    assert waiting() == [("SCR", 1)]
    entry = fill(trial, "PUMCH-001", "SCR", "dm", "draft")
    assert waiting() == [("SCR", 1)]
    with trial.write() as session:
        session.execute(update(Entry).where(Entry.id == entry).values(status="not done"))
    assert waiting() == []


def test_queries_are_counted_by_status_with_the_age_of_the_oldest(trial):
    entry = fill(trial, "PUMCH-001", "SCR", "dm")
    ask(trial, entry, "a", at=people.NOON + timedelta(days=2))
    ask(trial, entry, "b", at=people.NOON)
    ask(trial, entry, "c", "answered")
    ask(trial, entry, "d", "closed")
    found = groups(trial, people.CARL)["queries"]
    assert found.keys() == {"open", "answered"}
    assert found["open"] == progress.Asked(2, people.NOON)
    assert groups(trial, people.BO)["queries"] == {}


def test_nothing_of_a_locked_participant_waits(trial):
    fill(trial, "PUMCH-001", "SCR", "dm", "draft")
    fill(trial, "PUMCH-001", "SCR", "vs")
    with trial.write() as session:
        session.execute(update(Participant).values(state="locked"))
    found = groups(trial, people.CARL)
    assert [found[name].total for name in ("drafts", "unsigned", "incomplete")] == [0, 0, 0]


def test_a_long_group_is_cut_and_says_how_long_it_is(trial):
    for number in range(1, progress.SHOWN + 3):
        fill(trial, "PUMCH-001", "LOG", "ae", "draft", number=number)
    found = groups(trial, people.CARL)["drafts"]
    assert (len(found.lines), found.total) == (progress.SHOWN, progress.SHOWN + 2)


@pytest.mark.parametrize("count", [5, 100])
def test_every_question_costs_the_same_for_5_and_for_100_participants(
    trial, by, statements, count
):
    codes = ["PUMCH-001", *(enter(trial, by) for _ in range(count - 1))]
    for code in codes:
        fill(trial, code, "SCR", "dm", "draft")
    with statements(trial) as sent:
        found = groups(trial, people.CARL)
    with statements(trial) as grid:
        assert counts(trial, "SCR")
    assert found["drafts"].total == found["incomplete"].total == count
    assert len(sent) == 4
    assert len(grid) == 3
