"""Stored results judged again by the ranges in force: what would change, and accepting it."""

from typing import Any, NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import jobs
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import Text
from ecrf.study import versions
from ecrf.web import where
from ecrf.web.judged import FLAGS
from ecrf.web.quality import STATES
from ecrf.web.routes import Again, Pages
from forms.answers import called
from forms.laboratory import ranges, rejudging

pages = Pages("rejudged", __name__)
PAGE = "/<study_id>/laboratory/results"


class Line(NamedTuple):
    """A result: where it is, and its range, flag and grade before and after."""

    code: str
    path: str
    visit: str
    form: Text
    item: Text | str
    old: str
    new: str
    old_flag: Text | str
    new_flag: Text | str
    old_grade: str
    new_grade: str
    status: str


@pages.page(PAGE, needs=Right.LABORATORY_MANAGE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id)


@pages.page(PAGE, needs=Right.LABORATORY_MANAGE, methods=("POST",))
def ask(study_id: str) -> ResponseReturnValue:
    """Ask for a look at the results, or accept what the last look found."""
    where.in_force(study_id, Right.LABORATORY_MANAGE)
    looked = request.form.get("looked", "")
    try:
        if looked.isdecimal() and len(looked) < 9:
            reason = request.form.get("reason", "")
            rejudging.accept(g.session, g.by, study_id, int(looked), reason)
        else:
            rejudging.ask(g.session, g.by, study_id)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/laboratory/results?done=1", 303)


def _page(study_id: str, refusal: Refused | None = None) -> str:
    study = where.in_force(study_id, Right.LABORATORY_MANAGE).study
    looks = jobs.listing(g.session, study_id, rejudging.LOOK, 1)
    taken = jobs.listing(g.session, study_id, rejudging.TAKE, 1)
    look = looks[0] if looks else None
    rows = rejudging.listing(g.session, look.id) if look else ()
    accepted = look is not None and any(t.arguments.get("looked") == look.id for t in taken)
    return render_template(
        "rejudged.html", study=study, refusal=refusal, look=look, states=STATES,
        taken=taken[0] if accepted else None, lines=[_line(study_id, row) for row in rows],
    )  # fmt: skip


def _line(study_id: str, row: Any) -> Line:
    form = versions.model(g.session, row.protocol).forms[row.form]
    cell = form.cells.get(row.item)
    return Line(
        row.code,
        where.entry(study_id, row.code, row.visit, row.form, row.number) + f"#{row.item}",
        row.visit, form.title, called(cell) if cell else row.item, _span(row.old),
        _span(row.new), FLAGS.get(row.old_flag, "–"), FLAGS.get(row.new_flag, "–"),
        row.old_grade, row.new_grade, row.status,
    )  # fmt: skip


def _span(reference: str) -> str:
    found = ranges.read(reference)
    return found.span if found else "–"
