"""Every route of an app with real values for its parameters, taken from the world itself.

A parameter is filled from what stands in the tables; one that has no table of its own is filled
from any column of its name. A route that can be filled in no way fails the test.
"""

from itertools import islice, product

from sqlalchemy import select
from werkzeug.routing import AnyConverter, IntegerConverter

from forms.tables import Entry
from tests.blinding.worlds import STUDY
from tools.schemas import metadata
from visits.tables import Participant, Visit

MOST = 3
"""Fillings of a route; the places are chosen so that the first ones differ most."""
TABLES = {
    "cases": "adjudication_case", "adjudication": "adjudication_case", "alerts": "safety_alert",
    "locks": "lock", "unlocks": "unlock", "results": "result_file", "queries": "query",
    "people": "person",
}  # fmt: skip
ENTRY = ("code", "key", "form", "number")
FORMS = ("rand", "ex", "ie", "ae", "lbh", "vs")


class Unfilled(Exception):
    """A parameter nothing is known about."""


def targets(app, world):
    """Yield (method, path) for every route, filled, in the order of the routes' texts."""
    known = Known(world)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        if rule.endpoint == "static":
            continue
        for values in known.fillings(rule):
            with app.test_request_context():
                from flask import url_for

                path = url_for(rule.endpoint, **values)
            for method in ("GET", "POST"):
                if method in rule.methods:
                    yield method, path


class Known:
    """The values there are in a world."""

    def __init__(self, world):
        self.world = world
        with world.place.database.read() as session:
            self.entries = self._entries(session)
            self.visits = self._visits(session)
            self.codes = self._codes(session)

    def _entries(self, session):
        rows = session.execute(
            select(Participant.code, Visit.key, Entry.form, Entry.number)
            .join(Visit, Visit.participant_id == Participant.id)
            .join(Entry, Entry.visit_id == Visit.id)
            .order_by(Participant.random_number.is_(None), Participant.id, Visit.id, Entry.id)
        ).all()
        first = {}
        for row in rows:
            first.setdefault(row.form, row)
        wanted = [first[form] for form in FORMS if form in first]
        return [
            {"code": r.code, "key": r.key, "form": r.form, "number": r.number} for r in wanted
        ]

    def _visits(self, session):
        rows = session.execute(
            select(Participant.code, Visit.key)
            .join(Visit, Visit.participant_id == Participant.id)
            .order_by(Participant.random_number.is_(None), Participant.id, Visit.id.desc())
        ).all()
        return [{"code": row.code, "key": row.key} for row in (rows[0], rows[-1])]

    def _codes(self, session):
        rows = session.execute(
            select(Participant.code, Participant.status).order_by(
                Participant.random_number.is_(None), Participant.id
            )
        ).all()
        by_status = {row.status: row.code for row in reversed(rows)}
        return [{"code": code} for code in by_status.values()]

    def fillings(self, rule):
        """Return at most MOST ways to fill the parameters of a rule."""
        left = set(rule.arguments)
        given = [{}]
        if "study_id" in left:
            given, left = [{"study_id": STUDY}], left - {"study_id"}
        for wanted, found in (
            (set(ENTRY), self.entries),
            (set(ENTRY[:3]), self.entries),
            (set(ENTRY[:2]), self.visits),
            (set(ENTRY[:1]), self.codes),
        ):
            if found and wanted <= left:
                given = [
                    {**one, **{name: more[name] for name in wanted}}
                    for one in given
                    for more in found
                ]
                left -= wanted
        names = sorted(left)
        ways = [self.values(rule, name) for name in names]
        return list(
            islice(
                (
                    {**one, **dict(zip(names, more, strict=True))}
                    for one in given
                    for more in product(*ways)
                ),
                MOST if len(rule.arguments) > 1 else MOST * 2,
            )
        )

    def values(self, rule, name):
        """Return some values of one parameter; raise Unfilled when nothing fits."""
        converter = rule._converters[name]
        if isinstance(converter, AnyConverter):
            return sorted(converter.items)
        before = rule.rule[: rule.rule.index(f"{name}>")].split("<")[0].rstrip("/")
        segments = [part for part in before.split("/") if part]
        if isinstance(converter, IntegerConverter):
            return self._ids(segments[-1] if segments else "")
        found = self._column(name) or self._special(name)
        if not found:
            raise Unfilled(f"{rule.rule}: nothing in the world is called {name}")
        return found

    def _ids(self, segment):
        """Return the numbers of what the path names; 1 and 2 when it has no table."""
        table = TABLES.get(segment)
        tables = metadata("main").tables
        found = []
        if table in tables:
            column = tables[table].c.get("number", tables[table].c.get("id"))
            with self.world.place.database.read() as session:
                found = list(session.scalars(select(column).order_by(column).limit(2)))
        return found or [1, 2]

    def _column(self, name):
        """Return the first and last value of any column of this name."""
        found = set()
        with self.world.place.database.read() as session:
            for table in metadata("main").sorted_tables:
                if name in table.c:
                    values = session.scalars(select(table.c[name]).distinct()).all()
                    found |= {str(value) for value in values if value}
        ordered = sorted(found)
        return [*ordered[:1], *ordered[-1:]] if len(ordered) > 1 else ordered

    def _special(self, name):
        """What is no column: names of files and steps, which answer 404 or are there."""
        return {
            "name": ["nothing.zip"], "step": ["ask", "read"], "act": ["answer"],
            "item": ["finding"], "token": ["nothing"], "key": ["BL"],
        }.get(name)  # fmt: skip
