"""Closed reports: made and released by the unblinded statistician, read by the board.

Making or reading one changes nothing on the blinded side; every read is on the vault's ledger
before it is answered.
"""

import json
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts, checkpoints, notes
from ecrf.kernel.access import Right
from ecrf.kernel.chain import stamp
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault.supply import room
from randomization.closed import api
from reports import say
from reports.closed import flat, making, plot, reading
from reports.read import Selection
from visits.windows import civil_date

pages = Pages("vault_closed", __name__)
LIST = "/vault/<study_id>/closed"
ONE = f"{LIST}/<int:number>"
DRAWING = plot.Frame(640, 240, down=True)


@pages.page(LIST, needs=Right.CLOSED_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _list(study_id, None)


@pages.page(LIST, needs=Right.CLOSED_MAKE, methods=("POST",), reads=True)
def make(study_id: str) -> ResponseReturnValue:
    """Make a report as of a day; the arms are opened for nothing else."""
    try:
        number = _make(study_id)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _list(study_id, wrong)) from None
    return redirect(f"/vault/{study_id}/closed/{number}", 303)


def _make(study_id: str) -> int:
    found = where.in_force(study_id, Right.CLOSED_MAKE)
    study, cut_off = found.study, _cut_off(study_id)
    labels = making.NAMED if room.typed("labels") == making.NAMED else making.CODED
    selection = Selection(study_id, None, g.by.at)
    records = reading.records(g.session, selection, study, cut_off)
    data = notes.root(checkpoints.heads(g.session)).hex()
    purpose = room.typed("purpose")
    wanted = api.Wanted(study_id, cut_off, purpose, tuple(r.code for r in records))
    opened = api.arms(room.vault(), g.by, wanted)
    identity = making.Identity(
        cut_off, found.fingerprint, opened.list_version, data, stamp(g.by.at), g.actor.name
    )
    codes = making.codes(study, labels, g.by.draw)
    arms = {code: arm.opened() for code, arm in opened.arms.items()}
    salt = g.by.draw(making.SALT_BYTES)
    content = making.report(study, identity, records, arms, codes, salt)
    made = api.Made(
        study_id, cut_off, labels, purpose, len(records), found.fingerprint,
        opened.list_version, data, content, codes,
    )  # fmt: skip
    return api.keep(room.vault(), g.by, made)


def _cut_off(study_id: str) -> date:
    day = room.day("cut_off")
    if day > _today(study_id):
        raise room.wrong("cut_off", T("The cut-off cannot lie in the future."))
    return day


def _today(study_id: str) -> date:
    sites = where.in_force(study_id, Right.CLOSED_READ).study.sites
    return max((civil_date(g.by.at, site.zone) for site in sites), default=g.by.at.date())


def _list(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.CLOSED_READ).study
    return render_template(
        "vault/oversight/closed_list.html", study=study, refusal=refusal, sent=request.form,
        reports=api.listing(room.vault(), g.by, study_id), today=_today(study_id),
        maker=g.actor.may(Right.CLOSED_MAKE, study_id), coded=making.CODED, named=making.NAMED,
    )  # fmt: skip


@pages.page(ONE, needs=Right.CLOSED_READ)
def one(study_id: str, number: int) -> ResponseReturnValue:
    return _one(study_id, number, None, None)


@pages.page(ONE, needs=Right.CLOSED_MAKE, methods=("POST",))
def act(study_id: str, number: int) -> ResponseReturnValue:
    """Release the report to the board with one's password, or resolve its codes."""
    where.in_force(study_id, Right.CLOSED_MAKE)
    if room.typed("act") == "codes":
        codes = api.codes(room.vault(), g.by, study_id, number)
        return _one(study_id, number, None, codes)
    try:
        accounts.confirm(g.session, g.by, request.form.get("password", ""))
        api.release(room.vault(), g.by, study_id, number)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _one(study_id, number, wrong, None)) from None
    return redirect(f"/vault/{study_id}/closed/{number}?done=1", 303)


def _one(
    study_id: str, number: int, refusal: Refused | None, codes: Any
) -> str:  # fmt: skip
    study = where.in_force(study_id, Right.CLOSED_READ).study
    kept, text = api.read(room.vault(), g.by, study_id, number, "page")
    report = json.loads(text)
    return render_template(
        "vault/oversight/closed.html", study=study, kept=kept, report=report, codes=codes,
        arms={arm.id: arm.label for arm in study.arms}, refusal=refusal, drawing=DRAWING,
        maker=g.actor.may(Right.CLOSED_MAKE, study_id), line=plot.line, marks=plot.censored,
        coded=making.CODED,
    )  # fmt: skip


@pages.page(f"{ONE}.csv", needs=Right.CLOSED_READ)
def as_csv(study_id: str, number: int) -> ResponseReturnValue:
    where.in_force(study_id, Right.CLOSED_READ)
    _, text = api.read(room.vault(), g.by, study_id, number, "csv")
    body = "".join(flat.lines(json.loads(text))).encode()
    return _file(body, "text/csv; charset=utf-8", f"{study_id}-closed-{number}.csv")


@pages.page(f"{ONE}.pdf", needs=Right.CLOSED_READ)
def as_pdf(study_id: str, number: int) -> ResponseReturnValue:
    from reports.closed import paper  # noqa: PLC0415 (the PDF library is slow to load)

    study = where.in_force(study_id, Right.CLOSED_READ).study
    kept, text = api.read(room.vault(), g.by, study_id, number, "pdf")
    zone = next((site.zone for site in study.sites), "UTC")
    taken = paper.Taken(
        number, kept.digest, g.actor.name, say.moment(g.by.at, zone), g.locale
    )  # fmt: skip
    body = paper.draw(json.loads(text), taken)
    return _file(body, "application/pdf", f"{study_id}-closed-{number}.pdf")


def _file(body: bytes, kind: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(body, content_type=kind, headers={"Content-Disposition": disposition})
