"""The ledger: who did what, when, why, with values before and after, and its state."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_

from ecrf.kernel import checkpoints, verify
from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.ledger import LEDGER, REASON, participant_chain, study_chain
from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Study
from ecrf.web import acts, where
from ecrf.web.routes import Pages
from ecrf.web.services import services
from forms.adjudicating import sealed as votes
from forms.double import copies
from reports import shape
from visits import lookup
from visits.tables import Participant

pages = Pages("ledger", __name__)
PAGE = 50


class Filters(NamedTuple):
    """What the list is narrowed to; empty means everything."""

    participant: str
    person: str
    action: str

    def query_string(self) -> str:
        return "&".join(f"{key}={value}" for key, value in self._asdict().items() if value)


class Changed(NamedTuple):
    item: Text
    old: Text | str
    new: Text | str


class Line(NamedTuple):
    """One act as shown."""

    chain: str
    seq: int
    at: datetime
    name: str
    role: str
    origin: str
    action: Message
    place: Text
    reason: str
    changes: list[Changed]
    link: str

    @property
    def cursor(self) -> str:
        return f"{self.at.isoformat()}|{self.chain}|{self.seq}"


class State(NamedTuple):
    """Where the chains shown stand, and what a check of them found (None: not checked)."""

    chains: int
    acts: int
    head: str | None
    flaws: tuple[verify.Flaw, ...] | None


@pages.page("/<study_id>/ledger", needs=Right.LEDGER_READ)
def show(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.LEDGER_READ).study
    filters = Filters(*(request.args.get(name, "").strip() for name in Filters._fields))
    chains = _chains(study_id, filters)
    lines = _lines(study, chains, filters)
    return render_template(
        "ledger.html",
        study=study,
        filters=filters,
        lines=lines[:PAGE],
        after=lines[PAGE - 1].cursor if len(lines) > PAGE else None,
        actions=acts.ACTIONS,
        titles=TITLES,
        people=_people(chains),
        keep=filters.query_string(),
        state=_state(chains),
    )


def _chains(study_id: str, filters: Filters) -> ColumnElement[bool]:
    """Return the condition that keeps to chains of the person's sites, or one of them."""
    column = LEDGER.act.c.chain
    if filters.participant:
        who = lookup.participant(
            g.session, g.actor, study_id, filters.participant, Right.LEDGER_READ
        )
        return column == participant_chain(study_id, who.code)
    held = g.actor.sites(Right.LEDGER_READ, study_id)
    mine = Participant.study == study_id
    if held is not None:
        mine = mine & Participant.site.in_(sorted(held))
    names = select(literal(participant_chain(study_id, "")) + Participant.code).where(mine)
    if held is not None:
        return column.in_(names)
    return or_(column.in_(names), column == study_chain(study_id))


def _lines(study: Study, chains: ColumnElement[bool], filters: Filters) -> list[Line]:
    c = LEDGER.act.c
    query = (
        select(c.chain, c.seq, c.at, c.action, c.header, c.changes, c.link)
        .where(chains)
        .order_by(c.at.desc(), c.chain.desc(), c.seq.desc())
        .limit(PAGE + 1)
    )
    if filters.person.isdecimal():
        query = query.where(c.actor_id == int(filters.person))
    if filters.action:
        query = query.where(c.action == filters.action)
    masked = {one.form: one.keys for one in shape.masked((study,))}
    rows = g.session.execute(_after(query)).all()
    voted = any(row.action.startswith(votes.ACTS) for row in rows)
    closed = _sealed(study.id) if voted else frozenset()
    return [_line(study, row, masked, closed) for row in rows]


def _sealed(study_id: str) -> frozenset[int] | None:
    """Return the cases whose votes are kept from this person; None is all of them."""
    if not g.actor.may(Right.ADJUDICATION_READ, study_id):
        return None
    return votes.numbers(g.session, study_id)


def _after(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    c = LEDGER.act.c
    at, _, rest = request.args.get("after", "").partition("|")
    name, _, seq = rest.rpartition("|")
    try:
        moment, number = datetime.fromisoformat(at), int(seq)
    except ValueError:
        return query
    here = tuple_(
        literal(moment, c.at.type), literal(name, c.chain.type), literal(number, c.seq.type)
    )
    return query.where(tuple_(c.at, c.chain, c.seq) < here)


def _line(
    study: Study, row: Any, masked: Mapping[str, tuple[str, ...]], closed: frozenset[int] | None
) -> Line:
    header = json.loads(row.header)
    refs = header["refs"]
    hidden = masked.get(str(refs.get("form")), ())
    parts = json.loads(row.changes)
    if votes.hides(row.action, refs, closed):
        kept = {"old": None, "new": T("sealed until the case is final").in_(g.locale)}
        parts = [{"item": votes.VOTE, **kept}]
    elif row.action.startswith(votes.ACTS):
        parts = [one for part in parts for one in _apart(part)]
    reason = next((part["new"] for part in parts if part["item"] == REASON), "")
    shown = [part for part in parts if part["item"] != REASON]
    if any(part["item"] in hidden for part in shown) or refs.get("item") in hidden:
        reason = ""
    double = row.action.startswith(copies.COPY)
    return Line(
        row.chain, row.seq, row.at, header["name"], header["role"] or "", header["origin"],
        acts.action(row.action), acts.place(study, refs), reason,
        [_changed(study, refs, part, hidden, sealed=double) for part in shown],
        row.link,
    )  # fmt: skip


def _apart(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the answers of a vote, which the ledger keeps as one value, each by itself."""
    if part["item"] != votes.VOTE:
        return [part]
    old, new = part["old"] or {}, part["new"] or {}
    return [
        {"item": key, "old": old.get(key), "new": new.get(key)}
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]


def _changed(
    study: Study,
    refs: Mapping[str, Any],
    part: Mapping[str, Any],
    hidden: tuple[str, ...],
    *,
    sealed: bool = False,
) -> Changed:
    """Return a change in words. Copies of double entry are sealed: nobody reads another's."""
    name = acts.part(study, refs, part["item"])
    if sealed or part["item"] in hidden:
        return Changed(name, "***", "***")
    old, new = (acts.value(part["item"], _said(part[side])) for side in ("old", "new"))
    return Changed(name, old, new)


def _said(value: Any) -> str:
    """Return an answer or another stored value as people read it."""
    if value is None:
        return ""
    if isinstance(value, dict):
        text = value.get("text") or value.get("value") or value.get("missing")
        if text is not None:
            return f"{text} {value.get('unit', '')}".strip()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _people(chains: ColumnElement[bool]) -> list[tuple[int, str]]:
    """Return who acted on these chains, by the newest name they acted under."""
    c = LEDGER.act.c
    newest = (
        select(func.max(c.at).label("at"), c.actor_id).where(chains).group_by(c.actor_id)
    ).subquery()
    rows = g.session.execute(
        select(c.actor_id, c.header)
        .join(newest, (newest.c.actor_id == c.actor_id) & (newest.c.at == c.at))
        .where(chains)
    )
    found = {row.actor_id: str(json.loads(row.header)["name"]) for row in rows}
    return sorted(found.items(), key=lambda pair: pair[1])


def _state(chains: ColumnElement[bool]) -> State:
    h = LEDGER.chain.c
    names = select(LEDGER.act.c.chain).where(chains, LEDGER.act.c.seq == 0)
    rows = g.session.execute(
        select(h.name, h.size, h.link).where(h.name.in_(names)).order_by(h.name)
    ).all()
    flaws = None
    if request.args.get("check"):
        verifier = checkpoints.desk(services().config).signer.verifier
        only = [row.name for row in rows]
        flaws = verify.verify(g.session, verifier, only=only).flaws
    head = rows[0].link if len(rows) == 1 else None
    return State(len(rows), sum(row.size for row in rows), head, flaws)
