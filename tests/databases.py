"""Fresh databases for tests: prepared once per process, copied for each test."""

import shutil

from sqlalchemy import make_url

from ecrf.kernel.db import Database

KINDS = ("sqlite", "postgresql")


class Prepared:
    """Databases made once by `make(database)`, and copies of them."""

    def __init__(self, folder, server, make):
        self._folder = folder
        self._server = server
        self._make = make
        self._templates = {}

    def copy(self, kind, target):
        """Return the URL of a fresh copy; SQLite's file is put into the folder `target`."""
        if kind not in self._templates:
            self._templates[kind] = self._prepare(kind)
        if kind == "postgresql":
            return self._server().create(template=self._templates[kind])
        path = target / self._folder.name
        shutil.copyfile(make_url(self._templates[kind]).database, path)
        return f"sqlite:///{path}"

    def discard(self, kind, url):
        if kind == "postgresql":
            self._server().drop(url)

    def _prepare(self, kind):
        if kind == "postgresql":
            url = self._server().create()
        else:
            self._folder.parent.mkdir(exist_ok=True)
            url = f"sqlite:///{self._folder}"
        database = Database(url)
        self._make(database)
        if kind == "sqlite":
            with database.engine.connect() as connection:
                raw = connection.connection.driver_connection
                connection.rollback()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        database.dispose()
        return url
