from sqlalchemy import select

from ecrf.kernel.access import Right
from forms import history, queries
from forms.tables import Entry
from tests import people


def lines(desk, item=None):
    with desk.database.read() as session:
        entry_id = session.scalars(select(Entry.id)).one()
        return history.of_entry(session, entry_id, item)


def test_the_history_of_an_item_tells_old_new_reason_and_who(desk):
    desk.save({"sbp": "120", "dbp": "80"})
    desk.save({"sbp": "125"}, actor=people.ANNA, reason="Transcription error")
    first, second = lines(desk, "sbp")
    assert (first.old, first.new, first.name) == (
        None, {"text": "120", "value": "120"}, "Carl Wu",
    )  # fmt: skip
    assert (second.old["value"], second.new["value"]) == ("120", "125")
    assert (second.reason, second.name, second.role, second.origin) == (
        "Transcription error", "Anna Li", "site investigator", "page",
    )  # fmt: skip


def test_queries_stand_between_the_changes_in_the_order_of_time(desk):
    desk.save({"sbp": "200"})
    with desk.database.write() as session:
        found = desk.find(session, actor=people.DORA, right=Right.ENTRY_READ)
        queries.open_(session, desk.by(people.DORA), found, "sbp", "Is it so?")
    desk.save({"sbp": "120"}, reason="Answer to a query")
    told = [(line.action, line.reason) for line in lines(desk, "sbp")]
    assert told == [
        ("entry:save", ""),
        ("query:open", "soft_limit"),
        ("query:open", "Is it so?"),
        ("entry:save", "Answer to a query"),
        ("query:close", "soft_limit"),
    ]


def test_what_was_computed_is_told_apart_from_what_was_typed(desk):
    desk.save({"LUNG.score": "0", "SKIN.score": "0", "CONST.score": "1"}, form="gr")
    derived = {line.item: line.derived for line in lines(desk)}
    assert derived == {
        "LUNG.score": False, "SKIN.score": False, "CONST.score": False, "total": True,
    }  # fmt: skip


def test_the_history_of_a_row_is_that_of_its_cells(desk):
    desk.save({"LUNG.score": "1", "LUNG.urgent": "N", "SKIN.score": "0"}, form="gr")
    assert {line.item for line in lines(desk, "LUNG")} == {"LUNG.score", "LUNG.urgent"}
