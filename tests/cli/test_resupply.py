"""`ecrf randomization resupply`: orders for the day once, and prints numbers of sets."""

import json

import pytest
from sqlalchemy import update

from ecrf.kernel import accounts, chance
from ecrf.kernel.access import Grant, Role
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import Site
from tests.cli.test_randomization import GENERATE, place, run  # noqa: F401
from tests.people import NOON, STUDY

CALL = ("resupply", STUDY, "--as", "sue", "--date", "2026-03-02")


@pytest.fixture
def supplied(place, run):  # noqa: F811
    """A list, and the supply manager sue."""
    database = Database(place.database_url)
    by = By(accounts.NOBODY, NOON, Origin.COMMAND, chance.system)
    with database.write() as session:
        person = accounts.add(session, by, "sue", "Sue Ren", "a long enough phrase")
        accounts.give(session, by, person, Grant(STUDY, Role.SUPPLIER), "test")
        session.execute(update(Site).values(open=True))
    database.dispose()
    assert run(*GENERATE).exit_code == 0
    return run


def test_every_site_gets_its_first_sets_once(supplied):
    shown = supplied(*CALL, "--dry-run", "--json")
    assert shown.exit_code == 0, shown.output
    assert [line["order"] for line in json.loads(shown.output)] == [8, 8, 8]
    first, again = (supplied(*CALL, "--json") for _ in range(2))
    assert [line["order"] for line in json.loads(first.output)] == [8, 8, 8]
    assert [line["order"] for line in json.loads(again.output)] == [0, 0, 0]
    said = supplied("resupply", STUDY, "--as", "sue", "--date", "2026-03-03")
    assert said.output.splitlines()[0] == (
        "BFH: 0 sets there, 8 coming, 0 and 0 needed, 0 ordered"
    )
    assert "MMF" not in first.output + said.output


def test_somebody_else_orders_nothing(supplied):
    done = supplied("resupply", STUDY, "--as", "alma", "--date", "2026-03-02")
    assert done.exit_code == 1
