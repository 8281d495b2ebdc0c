"""Data quality: rules run on demand, what is set aside, own rules, all checks as a job."""

import csv
import io
from collections.abc import Callable, Sequence
from itertools import islice

from flask import g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import jobs
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused, Unacceptable
from ecrf.kernel.text import T, say
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms.quality import own, rerun, rules, running
from forms.quality.own import Wanted
from forms.quality.running import Discrepancy

pages = Pages("quality", __name__)
SHOWN = 300
"""How many discrepancies a page lists; the file has all of them."""
STATES = {
    "waiting": T("waits for a worker"), "running": T("running"), "done": T("done"),
    "failed": T("failed"),
}  # fmt: skip
COLUMNS = (
    "rule", "site", "participant", "visit", "form", "number", "item", "label", "what",
    "excluded",
)  # fmt: skip
HAZARDS = ("=", "+", "-", "@", "\t", "\r")
BIGGEST = 200_000


@pages.page("/<study_id>/quality", needs=Right.QUALITY_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id)


@pages.page("/<study_id>/quality.csv", needs=Right.QUALITY_READ)
def download(study_id: str) -> ResponseReturnValue:
    """Hand out all discrepancies of the rules asked for."""
    where.in_force(study_id, Right.QUALITY_READ)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found in running.run(g.session, g.actor, study_id, _asked(), all_too=True):
        writer.writerow([_safe(say(getattr(found, name), g.locale)) for name in COLUMNS])
    response = make_response("\ufeff" + text.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{study_id}-quality.csv"'
    return response


@pages.page("/<study_id>/quality/aside", needs=Right.QUALITY_MANAGE, methods=("POST",))
def set_aside(study_id: str) -> ResponseReturnValue:
    """Set a discrepancy aside, or take it back."""
    sent = request.form
    number = sent.get("entry", "")
    entry_id = int(number) if number.isdecimal() and len(number) < 10 else 0
    place = (study_id, entry_id, sent.get("item", ""), sent.get("rule", ""))
    try:
        if sent.get("act") == "include":
            running.include(g.session, g.by, *place)
        else:
            running.exclude(g.session, g.by, *place, sent.get("reason", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    kept = "&".join(f"rule={rule}" for rule in sorted(_ran(study_id)))
    return redirect(f"/{study_id}/quality?done=1&run=1&all={sent.get('all', '')}&{kept}", 303)


@pages.page("/<study_id>/quality/rules", needs=Right.QUALITY_MANAGE, methods=("POST",))
def change_rules(study_id: str) -> ResponseReturnValue:
    """Make, change or retire a rule, or take a file of rules."""
    study, _ = where.in_force(study_id, Right.QUALITY_MANAGE)
    sent = request.form
    try:
        if sent.get("act") == "retire":
            own.retire(g.session, g.by, study_id, sent.get("code", ""))
        elif sent.get("act") == "file":
            own.put_file(g.session, g.by, study, _uploaded())
        else:
            own.put(g.session, g.by, study, _typed())
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/quality?done=1#own", 303)


@pages.page("/<study_id>/quality/rerun", needs=Right.QUALITY_MANAGE, methods=("POST",))
def run_again(study_id: str) -> ResponseReturnValue:
    """Ask for all checks to be run again."""
    where.in_force(study_id, Right.QUALITY_MANAGE)
    rerun.ask(g.session, g.by, study_id)
    return redirect(f"/{study_id}/quality?done=1#again", 303)


def _page(study_id: str, refusal: Refused | None = None) -> str:
    study, _ = where.in_force(study_id, Right.QUALITY_READ)
    asked = _asked()
    found: Sequence[Discrepancy] = ()
    ran = "run" in request.args
    aside = request.args.get("all") == "1"
    if ran:
        started = running.run(g.session, g.actor, study_id, asked, all_too=aside)
        found = list(islice(started, SHOWN + 1))
    return render_template(
        "quality.html", study=study, refusal=refusal, built=rules.RULES, asked=asked, ran=ran,
        aside=aside, found=found[:SHOWN], more=len(found) > SHOWN, shown=SHOWN,
        own=own.listing(g.session, study_id), typed=_typed(), states=STATES,
        jobs=jobs.listing(g.session, study_id, rerun.KIND, 5),
        may=g.actor.may(Right.QUALITY_MANAGE, study_id), path_of=_path(study_id),
        query=request.query_string.decode("ascii", "ignore"),
    )  # fmt: skip


def _path(study_id: str) -> Callable[[Discrepancy], str]:
    def path(found: Discrepancy) -> str:
        return where.entry(study_id, found.participant, found.visit, found.form, found.number)

    return path


def _asked() -> frozenset[str]:
    return frozenset(request.args.getlist("rule"))


def _ran(study_id: str) -> frozenset[str]:
    """Return the rules that were run on the page a form was sent from, if they exist."""
    known = {*rules.RULES, *(rule.code for rule in own.listing(g.session, study_id))}
    return frozenset(request.form.getlist("ran")) & known


def _typed() -> Wanted:
    sent = request.form
    return Wanted(**{name: sent.get(name, "").strip() for name in own.COLUMNS})


def _uploaded() -> str:
    file = request.files.get("file")
    content = file.read(BIGGEST + 1) if file else b""
    if not content or len(content) > BIGGEST:
        raise Unacceptable(T("Choose a CSV file of up to 200 kB."))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unacceptable(T("The file is not in UTF-8.")) from None


def _safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(HAZARDS) else text
