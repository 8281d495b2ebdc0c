"""Reference ranges of the laboratories; safety alerts until somebody acknowledges them."""

import io

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Refused, Unacceptable
from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms.laboratory import alerts, loading, sheet
from forms.laboratory.staging import digest

pages = Pages("laboratory", __name__)


@pages.page("/<study_id>/laboratory", needs=Right.LABORATORY_MANAGE)
def ranges(study_id: str) -> ResponseReturnValue:
    return _ranges(study_id, None)


@pages.page("/<study_id>/laboratory", needs=Right.LABORATORY_MANAGE, methods=("POST",))
def load(study_id: str) -> ResponseReturnValue:
    """Put the ranges of a table in force: a file, or one line typed."""
    study = where.in_force(study_id, Right.LABORATORY_MANAGE).study
    try:
        content = _sent()
        found = sheet.read(content.decode("utf-8-sig").splitlines(), study)
        if found.problems:
            raise Unacceptable(
                T("No range was changed: {n} line(s) are wrong.", n=len(found.problems)),
                found.problems,
            )
        sha256 = digest(io.BytesIO(content))
        loading.load(g.session, g.by, study_id, found.ranges, sha256)
    except UnicodeDecodeError:
        wrong = Unacceptable(T("The table is not written in UTF-8. Save it as CSV UTF-8."))
        raise Again(wrong, lambda: _ranges(study_id, wrong)) from None
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _ranges(study_id, no)) from None
    return redirect(f"/{study_id}/laboratory?done=1", 303)


def _sent() -> bytes:
    file = request.files.get("table")
    if file is not None and file.filename:
        return file.stream.read()
    cells = [request.form.get(name, "").replace('"', "") for name in sheet.COLUMNS]
    if not any(cells):
        raise Conflict(T("Choose a table, or fill in one range."))
    quoted = ",".join(f'"{cell}"' for cell in cells)
    return f"{','.join(sheet.COLUMNS)}\n{quoted}\n".encode()


def _ranges(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.LABORATORY_MANAGE).study
    known = loading.in_force(g.session, study_id)
    wanted = request.args.get("analyte", "")
    return render_template(
        "ranges.html", study=study, refusal=refusal, units=_units(study), columns=sheet.COLUMNS,
        total=len(known), wanted=wanted, sent=request.form,
        ranges=sorted(
            (one for one in known if wanted in ("", one.analyte)),
            key=lambda r: (r.analyte, r.site, r.laboratory, r.sex, r.age_from or 0, r.id),
        ),
        analytes=study.laboratory.analytes if study.laboratory else (),
    )  # fmt: skip


def _units(study: Study) -> dict[str, str]:
    laboratory = study.laboratory
    return {
        analyte.id: study.forms[analyte.form].cells[analyte.key].question.unit or ""
        for analyte in (laboratory.analytes if laboratory else ())
    }


@pages.page("/<study_id>/alerts", needs=Right.ALERT_ACKNOWLEDGE)
def show_alerts(study_id: str) -> ResponseReturnValue:
    return _alerts(study_id, None)


@pages.page("/<study_id>/alerts/<int:number>", needs=Right.ALERT_ACKNOWLEDGE, methods=("POST",))
def acknowledge(study_id: str, number: int) -> ResponseReturnValue:
    where.in_force(study_id, Right.ALERT_ACKNOWLEDGE)
    try:
        alerts.acknowledge(g.session, g.by, study_id, number, request.form.get("comment", ""))
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _alerts(study_id, no)) from None
    return redirect(f"/{study_id}/alerts?done=1", 303)


def _alerts(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.ALERT_ACKNOWLEDGE).study
    found = alerts.listing(g.session, g.actor, study_id, status=None)
    return render_template(
        "alerts.html", study=study, refusal=refusal, where=where,
        waiting=[one for one in found if one.status == "open"],
        past=[one for one in found if one.status != "open"],
    )  # fmt: skip
