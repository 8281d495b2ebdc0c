"""Many rows at once are the same rows as one by one, and go with their transaction."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, String, Table, select

from ecrf.kernel.bulk import load
from ecrf.kernel.db import Instant

THINGS = Table(
    "thing", MetaData(), Column("id", Integer, primary_key=True), Column("text", String(40)),
    Column("raw", LargeBinary), Column("at", Instant), Column("day", Date),
)  # fmt: skip
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = [
    {"id": n, "text": text, "raw": bytes([n, 0, 255]), "at": AT, "day": AT.date()}
    for n, text in enumerate(["plain", "a\tb\nc\\d", "中文", "\\N", None, ""])
]


@pytest.fixture
def things(empty_database):
    THINGS.create(empty_database.engine)
    return empty_database


def stored(database):
    with database.read() as session:
        return [dict(row._mapping) for row in session.execute(select(THINGS).order_by("id"))]


def test_every_kind_of_value_comes_back_as_it_went_in(things):
    with things.write() as session:
        load(session, THINGS, ROWS)
    assert stored(things) == ROWS


def test_nothing_stays_of_a_transaction_that_failed(things):
    def fail():
        with things.write() as session:
            load(session, THINGS, ROWS)
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        fail()
    with things.write() as session:
        load(session, THINGS, [])
    assert stored(things) == []
