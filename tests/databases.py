"""Fresh databases for tests: prepared once per process, copied for each test."""

import shutil

from sqlalchemy import make_url

from ecrf.kernel.db import Database

KINDS = ("sqlite", "postgresql")


def fresh(prepared, kind, folder):
    """Yield a database that is a copy of its own, for as long as one test takes."""
    url = prepared.copy(kind, folder)
    database = Database(url, lasting=False)
    yield database
    database.dispose()
    prepared.discard(kind, url)


class Prepared:
    """Databases made once by `make(database)`, and copies of them."""

    def __init__(self, folder, server, make, start=None):
        self._folder = folder
        self._server = server
        self._make = make
        self._start = start
        self._templates = {}

    def further(self, folder, make):
        """Return databases that begin as copies of these, with more made in them."""
        return Prepared(folder, self._server, make, start=self)

    def copy(self, kind, target):
        """Return the URL of a fresh copy; SQLite's file is put into the folder `target`."""
        return self._copy(kind, target / self._folder.name if kind == "sqlite" else None)

    def discard(self, kind, url):
        if kind == "postgresql":
            self._server().drop(url)

    def _copy(self, kind, path):
        if kind not in self._templates:
            self._templates[kind] = self._prepare(kind)
        if kind == "postgresql":
            return self._server().create(template=self._templates[kind])
        shutil.copyfile(make_url(self._templates[kind]).database, path)
        return f"sqlite:///{path}"

    def _prepare(self, kind):
        self._folder.parent.mkdir(exist_ok=True)
        database = Database(self._begun(kind), lasting=False)
        url = database.engine.url.render_as_string(hide_password=False)
        self._make(database)
        if kind == "sqlite":
            with database.engine.connect() as connection:
                raw = connection.connection.driver_connection
                connection.rollback()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        database.dispose()
        return url

    def _begun(self, kind):
        """Return the URL of what `make` is given: empty, or a copy of another's."""
        if self._start is not None:
            return self._start._copy(kind, self._folder)
        return self._server().create() if kind == "postgresql" else f"sqlite:///{self._folder}"
