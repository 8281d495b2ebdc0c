"""What every test may ask for: databases, people, a constant time, repeatable randomness."""

import gc
from contextlib import contextmanager

import pytest
from sqlalchemy import event, update

from ecrf.kernel import chain
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By, Origin
from ecrf.kernel.people import Site
from ecrf.study import versions
from tests import kept, postgres
from tests import people as cast
from tests.databases import KINDS, Prepared, fresh
from tools.schemas import metadata

LOUD = "DID NOT RUN"
kept.keep()


@pytest.fixture(scope="session")
def postgres_server():
    """Give a function that returns the running server, starting it at the first call."""
    started = []

    def server():
        if not started:
            try:
                started.append(postgres.start())
            except postgres.NoServer as reason:
                pytest.skip(f"tests on PostgreSQL {LOUD}: {reason}")
        return started[0]

    yield server
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def main_databases(tmp_path_factory, postgres_server):
    """The main schema with its people, the ledger's system chain begun."""
    return Prepared(tmp_path_factory.mktemp("prepared") / "main.db", postgres_server, _main)


@pytest.fixture(scope="session")
def trial_databases(tmp_path_factory, postgres_server, study):
    """The main schema with its people, and the shipped trial in force at open sites."""

    def make(database):
        _main(database)
        with database.write() as session:
            for manager in (cast.DORA, cast.DIRK):
                by = By(manager, cast.START, Origin.PAGE, Seeded(b"approve"))
                versions.approve(session, by, study)
            session.execute(update(Site).values(open=True))

    return Prepared(tmp_path_factory.mktemp("prepared") / "trial.db", postgres_server, make)


def _main(database):
    metadata("main").create_all(database.engine)
    by = By(cast.ALMA, cast.START, Origin.COMMAND, Seeded(b"begin"))
    with database.write() as session:
        LEDGER.write(session, by, [(chain.start(SYSTEM), Act("system:begin", None))])
    cast.introduce(database)


@pytest.fixture(scope="session")
def vault_databases(tmp_path_factory, postgres_server):
    """The vault's schema, empty."""

    def make(database):
        metadata("vault").create_all(database.engine)

    return Prepared(tmp_path_factory.mktemp("prepared") / "vault.db", postgres_server, make)


@pytest.fixture(params=KINDS)
def kind(request):
    """The kind of database the test runs on; both in turn."""
    return request.param


@pytest.fixture
def database(kind, main_databases, tmp_path):
    """A fresh main database with its people and nothing else."""
    yield from fresh(main_databases, kind, tmp_path)


@pytest.fixture
def vault_database(kind, vault_databases, tmp_path):
    """A fresh and empty vault database, of the same kind as `database`."""
    yield from fresh(vault_databases, kind, tmp_path)


@pytest.fixture
def empty_database(kind, postgres_server, tmp_path):
    """A database without any table."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if kind == "postgresql":
        url = postgres_server().create()
    made = Database(url)
    yield made
    made.dispose()
    if kind == "postgresql":
        postgres_server().drop(url)


@pytest.fixture
def draw():
    """Randomness that is the same in every run."""
    return Seeded(b"tests")


@pytest.fixture
def by(draw):
    """Give `by(actor)`: that person, at noon, on a page; `at` and `origin` may differ."""

    def make(actor, at=cast.NOON, origin=Origin.PAGE):
        return By(actor, at, origin, draw)

    return make


@pytest.fixture(scope="session")
def study():
    """The main trial's definition, as shipped."""
    from ecrf.study import shipped

    return shipped.load(cast.STUDY)


@pytest.fixture
def statements():
    """Give `statements(database)`, a block whose list fills with the statements sent in it.

    One call of the driver counts once, however many rows it carries. BEGIN does not count.
    """
    return _statements


@contextmanager
def _statements(*databases):
    sent = []

    def hear(_connection, _cursor, statement, _parameters, _context, _many):
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    for database in databases:
        event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        for database in databases:
            event.remove(database.engine, "before_cursor_execute", hear)


def pytest_collection_finish():
    """Keep what every test has in common out of the garbage collector's rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_terminal_summary(terminalreporter):
    """Say loudly what did not run for want of a server or a browser."""
    reasons = {
        report.longrepr[2]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and LOUD in report.longrepr[2]
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"!!! {reason}", red=True, bold=True)
