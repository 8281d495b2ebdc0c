"""The migrations lead, on both kinds of database, to exactly the declared tables."""

import re

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from ecrf import migrations
from ecrf.kernel.db import Database
from tests.people import NOON
from tools.schemas import metadata

BOTH = ("main", "vault")
CATALOG = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public';
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace;
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public';
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal;
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def shape(database):
    """Return everything a schema consists of, apart from Alembic's own table."""
    with database.read() as session:
        if database.engine.dialect.name == "postgresql":
            queries = [text(query) for query in CATALOG.replace("::", r"\:\:").split(";")]
            found = {tuple(row) for query in queries for row in session.execute(query)}
        else:
            rows = session.execute(text("SELECT name, sql FROM sqlite_master"))
            found = {(name, _parts(sql or "")) for name, sql in rows}
    return {row for row in found if not any("alembic_version" in str(part) for part in row)}


def _parts(sql):
    """Return the parts of a statement in one order: later columns and constraints come last."""
    head, _, body = re.sub(r"\s+", " ", sql).partition("(")
    if not head.startswith("CREATE TABLE"):
        return (re.sub(r"\s+", " ", sql).strip(),)
    return (head.replace('"', "").strip(), *sorted(_split(body.rpartition(")")[0])))


def _split(body):
    """Yield what stands between commas that are in no brackets."""
    depth, part = 0, ""
    for sign in f"{body},":
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            yield re.sub(r"[\s\"]+", " ", part).strip()
            part = ""
        else:
            part += sign


def url(database):
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture(params=BOTH)
def which(request):
    return request.param


def test_migrating_makes_every_table_index_constraint_and_trigger(
    which, kind, empty_database, main_databases, vault_databases, tmp_path
):
    migrations.upgrade(url(empty_database), which)
    prepared = main_databases if which == "main" else vault_databases
    other = prepared.copy(kind, tmp_path)
    made = Database(other)
    wanted = shape(made)
    made.dispose()
    assert shape(empty_database) == wanted
    prepared.discard(kind, other)


def test_the_models_need_no_further_revision(which, empty_database):
    migrations.upgrade(url(empty_database), which)
    assert migrations.check(empty_database.engine, metadata(which)) == []


def test_a_migrated_database_stands_at_the_head(which, empty_database):
    assert migrations.current(empty_database.engine) is None
    migrations.upgrade(url(empty_database), which)
    assert migrations.current(empty_database.engine) == migrations.head(which)


def test_migrating_again_changes_nothing(which, empty_database):
    migrations.upgrade(url(empty_database), which)
    before = shape(empty_database)
    migrations.upgrade(url(empty_database), which)
    assert shape(empty_database) == before


def test_rows_of_supply_survive_the_third_step_of_the_vault(empty_database):
    migrations.upgrade(url(empty_database), "vault", "0002")
    rows = [
        {"n": n, "number": f"K{n}", "batch": batch, "expiry": expiry}
        for n, (batch, expiry) in enumerate([("P-1", "2028-01-31"), ("P-1", "2027-06-30"),
                                             ("P-2", "2029-01-31")])
    ]  # fmt: skip
    with empty_database.write() as session:
        session.execute(
            text(
                "INSERT INTO kit (study, environment, number, site, ciphertext, nonce, batch,"
                " expiry, state, sequence) VALUES ('s', 'test', :number, 'PUMCH', 'x', 'x',"
                " :batch, :expiry, 'available', :n)"
            ),
            rows,
        )
        session.execute(
            text(
                "INSERT INTO packing_note (study, environment, note, signature, at)"
                " VALUES ('s', 'test', '{}', '', '2026-01-01 00:00:00')"
            )
        )
        session.execute(text("UPDATE kit SET note_id = (SELECT id FROM packing_note)"))
    migrations.upgrade(url(empty_database), "vault")
    with empty_database.read() as session:
        found = session.execute(text("SELECT code, expiry, by_id FROM batch ORDER BY code"))
        assert [(row.code, str(row.expiry), row.by_id) for row in found] == [
            ("P-1", "2027-06-30", 0),
            ("P-2", "2029-01-31", 0),
        ]
        assert session.execute(text("SELECT count(*) FROM kit")).scalar() == 3


def test_messages_from_before_there_was_mail_are_not_sent_now(empty_database):
    migrations.upgrade(url(empty_database), "main", "0002")
    with empty_database.write() as session:
        session.execute(
            text(
                'INSERT INTO outbox (study, site, "right", kind, text_en, text_zh, path, at)'
                " VALUES ('s', 'PUMCH', 'r', 'k', 'a', 'a', '/', '2026-01-01 00:00:00')"
            )
        )
    migrations.upgrade(url(empty_database), "main")
    with empty_database.read() as session:
        (row,) = session.execute(text("SELECT sent_at, tries FROM outbox"))
        assert str(row.sent_at).startswith("2026-01-01") and row.tries == 0


def test_a_missing_column_is_noticed(which, empty_database):
    migrations.upgrade(url(empty_database), which)
    with empty_database.write() as session:
        session.execute(text("ALTER TABLE checkpoint RENAME COLUMN note TO scribble"))
    differences = migrations.check(empty_database.engine, metadata(which))
    assert {(d[0], d[3].name) for d in differences} == {
        ("add_column", "note"),
        ("remove_column", "scribble"),
    }


def test_a_migrated_ledger_refuses_changes(which, empty_database):
    migrations.upgrade(url(empty_database), which)
    checkpoint = metadata(which).tables["checkpoint"]
    with empty_database.write() as session:
        row = {"number": 0, "at": NOON, "note": "a", "heads": "{}"}
        session.execute(checkpoint.insert(), [row])
    with pytest.raises(DBAPIError, match="append-only"), empty_database.write() as session:
        session.execute(checkpoint.update().values(note="b"))


def test_a_failing_migration_leaves_nothing_behind(kind, empty_database, monkeypatch):
    def refuse(_connection):
        raise migrations.BrokenReference("as if a row pointed at nothing")

    monkeypatch.setattr(migrations, "_references_hold", refuse)
    with pytest.raises(migrations.BrokenReference):
        migrations.upgrade(url(empty_database), "main")
    assert shape(empty_database) == set()


def test_a_migration_on_sqlite_leaves_no_row_that_points_at_nothing(tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path / 'broken.db'}"
    migrations.upgrade(address, "main")
    plain = create_engine(address)
    with plain.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO sign_in (token_hash, person_id, csrf, started_at, seen_at, wrong_pins)"
            " VALUES ('t', 99, 'c', '2026-01-01', '2026-01-01', 0)"
        )
    plain.dispose()
    with pytest.raises(migrations.BrokenReference, match="sign_in points at no row of person"):
        migrations.upgrade(address, "main")


def test_the_vault_shares_no_table_with_the_blinded_database():
    main, vault = metadata("main"), metadata("vault")
    assert vault is not main
    assert not {id(t) for t in main.tables.values()} & {id(t) for t in vault.tables.values()}
    assert not set(vault.tables) & (set(main.tables) - {"chain", "act", "checkpoint"})
