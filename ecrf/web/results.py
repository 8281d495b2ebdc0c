"""Files of laboratory results: sent, looked at line by line, then taken in or put away."""

from typing import BinaryIO, cast

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Refused
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms.laboratory import accepting, kept, mapping, staging
from forms.laboratory.mapping import Reading
from forms.laboratory.tables import ResultRow

pages = Pages("results", __name__)
SHOWN = 200
PARTS = ("columns", "tests", "units", "visits")


@pages.page("/<study_id>/results", needs=Right.ENTRY_READ)
def files(study_id: str) -> ResponseReturnValue:
    return _files(study_id, None)


def _files(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    laboratory = request.values.get("laboratory", "")
    how = kept.find(g.session, study_id, laboratory) if laboratory else Reading()
    lines = {part: request.form.get(part, mapping.lines(getattr(how, part))) for part in PARTS}
    return render_template(
        "results.html", study=study, refusal=refusal, laboratory=laboratory, lines=lines,
        laboratories=kept.names(g.session, study_id), columns=mapping.COLUMNS,
        files=kept.files(g.session, g.actor, study_id),
        may_send=g.actor.may(Right.ENTRY_WRITE, study_id),
    )  # fmt: skip


@pages.page("/<study_id>/results", needs=Right.ENTRY_WRITE, methods=("POST",))
def send(study_id: str) -> ResponseReturnValue:
    """Stage a file; how it was read is kept for the next one of the laboratory."""
    study = where.in_force(study_id, Right.ENTRY_WRITE).study
    try:
        file = request.files.get("file")
        laboratory = " ".join(request.form.get("laboratory", "").split())
        if file is None or not file.filename or not laboratory:
            raise Conflict(T("Choose a file and name its laboratory."))
        pairs = {part: mapping.pairs(request.form.get(part, "")) for part in PARTS}
        how = Reading(**pairs)
        kept.keep(g.session, g.by, study_id, laboratory, how)
        upload = staging.Upload(file.filename, laboratory, cast("BinaryIO", file.stream))
        staged = staging.stage(g.session, g.by, study, upload, how)
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _files(study_id, no)) from None
    again = "?again=1" if staged.again else ""
    return redirect(f"/{study_id}/results/{staged.file_id}{again}", 303)


@pages.page("/<study_id>/results/<int:number>", needs=Right.ENTRY_READ)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _file(study_id, number, None)


def _file(study_id: str, number: int, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    file = accepting.find(g.session, g.actor, study_id, number)
    status = request.args.get("status", "")
    after = request.args.get("after", 0, type=int)
    query = select(ResultRow).where(ResultRow.file_id == file.id, ResultRow.line > after)
    if status:
        query = query.where(ResultRow.status == status)
    rows = list(g.session.scalars(query.order_by(ResultRow.line).limit(SHOWN + 1)))
    return render_template(
        "result_file.html", study=study, file=file, refusal=refusal, wanted=status,
        counts=accepting.counts(g.session, file.id), rows=rows[:SHOWN],
        more=rows[SHOWN - 1].line if len(rows) > SHOWN else None,
        mine=file.staged_by == g.actor.id, again="again" in request.args,
        order=("wrong", "refused", "change", "new", "same", "done"),
    )  # fmt: skip


@pages.page("/<study_id>/results/<int:number>", needs=Right.ENTRY_WRITE, methods=("POST",))
def decide(study_id: str, number: int) -> ResponseReturnValue:
    """Take in the next entries of the file, or put it away."""
    where.in_force(study_id, Right.ENTRY_WRITE)
    try:
        file = accepting.find(g.session, g.actor, study_id, number)
        if request.form.get("act") == "drop":
            accepting.drop(g.session, g.by, file)
        else:
            accepting.accept(g.session, g.by, file, request.form.get("reason", ""))
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _file(study_id, number, no)) from None
    return redirect(f"/{study_id}/results/{number}", 303)
