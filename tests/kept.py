"""What libraries work out anew for each app and each engine, though it comes out the same.

Every test has an app and databases of its own, and they differ in nothing but the place of the
data. Half of the time of a test of a page went into building the same routes and the same SQL
again. The routes' builders and the compiled SQL are kept for the whole process; what they are
made of is their key. Nothing else of an app or an engine is shared.
"""

from flask import Flask
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from ecrf.kernel import db

STATEMENTS = 3000
_BUILDERS = {}
_PARSED = {}
_COMPILED = LRUCache(STATEMENTS)


class Known(Rule):
    """A route whose pattern and builder of addresses are made once; a builder with default
    values is made anew.
    """

    def _parse_rule(self, rule):
        before = len(self._trace)
        if rule not in _PARSED:
            parts = list(super()._parse_rule(rule))
            _PARSED[rule] = (parts, self._trace[before:], dict(self._converters))
            return parts
        parts, trace, converters = _PARSED[rule]
        self._trace.extend(trace)
        self._converters.update(converters)
        self.arguments.update(converters)
        return parts

    def _compile_builder(self, append_unknown=True):
        if self.defaults:
            return super()._compile_builder(append_unknown)
        key = (self.rule, tuple(self._trace), append_unknown)
        if key not in _BUILDERS:
            _BUILDERS[key] = super()._compile_builder(append_unknown)
        return _BUILDERS[key]


def _same(one, other):
    return type(one) is type(other) and _told(one) == _told(other)


def _told(dialect):
    """Return what engines of one kind of database might be told differently."""
    return (dialect.paramstyle, getattr(dialect, "server_version_info", None))


def keep():
    """Let every app and every engine made from now on use what was worked out before."""
    Flask.url_rule_class = Known
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _same
        dialect.__hash__ = lambda self: hash(type(self))
    made = db.make_engine

    def make_engine(url, **told):
        engine = made(url, **told)
        engine.update_execution_options(compiled_cache=_COMPILED)
        return engine

    db.make_engine = make_engine
