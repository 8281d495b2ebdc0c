"""The tables of the ledger and of signatures refuse every change."""

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from ecrf.kernel.db import Base
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act
from ecrf.kernel.signatures import Signature
from tests.people import ALMA, ANNA, NOON

SIGNATURE = {
    "target": "entry:1", "version": 1, "content_hash": "0" * 64, "person_id": ANNA.id,
    "printed_name": ANNA.name, "role": "site investigator", "meaning_en": "I confirm.",
    "meaning_zh": "本人确认。", "at": NOON, "zone": "Asia/Shanghai",
}  # fmt: skip
ROWS = {
    "act": (LEDGER.act, None),
    "checkpoint": (
        LEDGER.checkpoint,
        {"number": 0, "at": NOON, "note": "first", "heads": "{}"},
    ),
    "signature": (Base.metadata.tables["signature"], SIGNATURE),
}


@pytest.fixture(params=ROWS)
def table(request, database, by):
    """A guarded table that holds a row."""
    made, row = ROWS[request.param]
    with database.write() as session:
        if row is None:
            LEDGER.record(session, by(ALMA), SYSTEM, Act("account:open", None))
        else:
            session.execute(insert(made), [row])
    return made


def refused(database, statement):
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(statement)


def test_a_row_cannot_be_changed(database, table):
    refused(database, table.update().values({c.name: c for c in table.primary_key}))


def test_a_row_cannot_be_removed(database, table):
    refused(database, table.delete())


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_row_cannot_be_replaced(database, table):
    with database.read() as session:
        row = dict(session.execute(select(table)).mappings().first())
    refused(database, insert(table).prefix_with("OR REPLACE").values(row))


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_table_cannot_be_emptied(database, table):
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.connection().exec_driver_sql(f'TRUNCATE "{table.name}" CASCADE')


def test_the_guarded_tables_are_these():
    marked = {t.name for t in Base.metadata.tables.values() if t.info.get("append_only")}
    assert marked == {
        "act", "checkpoint", "randomization_asking", "signature", "stratum_correction",
    }  # fmt: skip
    assert Signature.__tablename__ in marked
