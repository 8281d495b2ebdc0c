"""The list of queries: filtered, as CSV, closing many at once, and the figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from flask import Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.errors import Refused, Unacceptable
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Form, Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms import queries, queue
from forms.answers import called
from forms.questions import ageing, asked, figures, places
from forms.queue import Filters, Line
from reports.writers import csv
from visits import lookup

pages = Pages("queries", __name__)
MOST = 200
"""How many queries are closed at once, at most."""

STATUSES: Mapping[str, Message] = {
    "live": T("Open or answered"),
    "open": T("Open"),
    "answered": T("Answered"),
    "closed": T("Closed"),
    "cancelled": T("Cancelled"),
    "all": T("All"),
}
ORIGINS: Mapping[str, Message] = {
    "": T("Anybody"),
    "rule": T("A rule"),
    "person": T("A person"),
}
MINE: Mapping[str, Message] = {
    "": T("Everybody's"),
    "assigned": T("Assigned to me"),
    "opened": T("Asked by me"),
}
AGES: Mapping[str, Message] = {
    "": T("Any"),
    "8": T("8 days and more"),
    "15": T("15 days and more"),
    "29": T("29 days and more"),
}
COLUMNS = (
    "query", "site", "participant", "visit", "form", "number", "item", "rule", "status",
    "text_en", "text_zh", "asked_by", "asked_at", "days", "answered_at", "days_answered",
    "closed_at", "assigned_role", "assigned_to",
)  # fmt: skip


@pages.page("/<study_id>/queries", needs=Right.QUERY_READ)
def listing(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.QUERY_READ).study
    sites, filters = _sites(study_id), filters_sent()
    after = request.args.get("after", "")
    page = queue.listing(
        g.session, g.actor, study_id, filters, before=_before(sites, filters),
        after=int(after) if after.isdecimal() and len(after) < 10 else 0,
    )  # fmt: skip
    return render_template(
        "queries.html", study=study, page=page, filters=filters, statuses=STATUSES,
        origins=ORIGINS, mine=MINE, ages=AGES, sites=sites, keep=filters.query_string(),
        assigned=queue.assigned(g.session, g.actor, study_id), titles=TITLES, after=after,
        closable=lambda line: line.status == "answered"
        and g.actor.may(Right.QUERY_CLOSE, study_id, line.site),
        tick="tick" in request.args, **_shown(study),
    )  # fmt: skip


@pages.page("/<study_id>/queries.csv", needs=Right.QUERY_READ)
def as_csv(study_id: str) -> ResponseReturnValue:
    """Give the whole filtered list as a file."""
    where.in_force(study_id, Right.QUERY_READ)
    filters = filters_sent()
    before = _before(_sites(study_id), filters)
    lines = queue.every(g.session, g.actor, study_id, filters, before=before)
    return _file(f"{study_id}-queries.csv", COLUMNS, map(_cells, lines))


@pages.page("/<study_id>/queries/figures", needs=Right.QUERY_READ)
def show_figures(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.QUERY_READ).study
    sites = _sites(study_id)
    return render_template(
        "query_figures.html", study=study, rows=_figures(study_id, sites),
        steps=ageing.STEPS, names={site.code: site for site in sites},
    )  # fmt: skip


@pages.page("/<study_id>/queries/figures.csv", needs=Right.QUERY_READ)
def figures_csv(study_id: str) -> ResponseReturnValue:
    where.in_force(study_id, Right.QUERY_READ)
    steps = (0, *ageing.STEPS)
    header = ("site", "open", "answered", "closed", "cancelled",
              *(f"waiting_from_{step}_days" for step in steps), "oldest_days")  # fmt: skip
    rows = (
        [*map(str, (f.site, f.open, f.answered, f.closed, f.cancelled, *f.ages)),
         "" if f.oldest is None else str(f.oldest)]
        for f in _figures(study_id, _sites(study_id))
    )  # fmt: skip
    return _file(f"{study_id}-query-figures.csv", header, rows)


@pages.page("/<study_id>/queries/review", needs=Right.QUERY_CLOSE)
def review(study_id: str) -> ResponseReturnValue:
    """Show the queries that were ticked once more, with their answers, before closing them."""
    return _review(study_id, request.args.getlist("pick"))


@pages.page("/<study_id>/queries/close", needs=Right.QUERY_CLOSE, methods=("POST",))
def close_ticked(study_id: str) -> ResponseReturnValue:
    picked = request.form.getlist("pick")
    try:
        ids = _ids(picked)
        chosen = queries.find_all(
            g.session, g.actor, study_id, ids, Right.QUERY_CLOSE, lock=True
        )
        queries.close_all(g.session, g.by, chosen, request.form.get("query-text", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _review(study_id, picked, wrong)) from None
    return redirect(f"/{study_id}/queries?done=1&closed={len(ids)}", 303)


def _review(
    study_id: str, picked: Sequence[str], refusal: Refused | None = None
) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.QUERY_CLOSE).study
    ids = [int(one) for one in picked if one.isdecimal() and len(one) < 10][:MOST]
    lines = queue.chosen(g.session, g.actor, study_id, ids)
    return render_template(
        "query_review.html", study=study, refusal=refusal,
        lines=[line for line in lines if line.status == "answered"],
        left=[line for line in lines if line.status != "answered"],
        answers=asked.answers(g.session, [line.id for line in lines]),
        text=request.form.get("query-text", ""), **_shown(study),
    )  # fmt: skip


def _ids(picked: Iterable[str]) -> list[int]:
    ids = sorted({int(one) for one in picked if one.isdecimal() and len(one) < 10})
    if not ids:
        raise Unacceptable(T("Tick the queries to close."))
    if len(ids) > MOST:
        raise Unacceptable(T("At most {n} queries are closed at once.", n=MOST))
    return ids


def filters_sent() -> Filters:
    """Return the filters of the address; they stay in it from page to page."""
    args = request.args
    return Filters(**{name: args[name] for name in Filters.__slots__ if name in args})


def before(study_id: str, filters: Filters) -> queue.Before | None:
    """Return since when queries of each site are old enough; None when age does not matter."""
    return _before(_sites(study_id), filters) if filters.days else None


def _before(sites: Sequence[Site], filters: Filters) -> queue.Before | None:
    if not filters.days:
        return None
    return ageing.asked_before(_zones(sites), g.by.at, filters.days)


def _sites(study_id: str) -> Sequence[Site]:
    return lookup.sites(g.session, g.actor, study_id, Right.QUERY_READ)


def _zones(sites: Sequence[Site]) -> Mapping[str, str]:
    return {site.code: site.zone for site in sites}


def _figures(study_id: str, sites: Sequence[Site]) -> tuple[figures.Figures, ...]:
    return figures.by_site(g.session, g.actor, study_id, _zones(sites), g.by.at)


def _shown(study: Study) -> dict[str, Callable[[Line], object]]:
    """Return what the templates ask about a line: its names, its page, its ages."""
    return {
        "name_of": lambda line: name(study.forms.get(line.form), line),
        "form_of": lambda line: (
            study.forms[line.form].title if line.form in study.forms else line.form.upper()
        ),
        "path_of": lambda line: where.asked(
            study.id, line.participant, line.visit or "", line.form, line.number, line.item
        ),
        "age_of": age,
        "waits_of": waits,
    }


def name(form: Form | None, line: Line) -> Text | str:
    """Return what is asked about, in words."""
    if line.about in places.NAMES:
        return places.NAMES[line.about]
    cell = form.cells.get(line.item) if form else None
    return called(cell) if cell else line.item


def age(line: Line) -> int:
    """Return the days from asking to closing, or to today while the query lives."""
    return ageing.days(line.opened_at, line.closed_at or g.by.at, line.zone)


def waits(line: Line) -> int | None:
    """Return for how many days an answer has waited to be judged; None without one."""
    if line.status != "answered" or line.answered_at is None:
        return None
    return ageing.days(line.answered_at, g.by.at, line.zone)


def _cells(line: Line) -> list[str]:
    given = (
        line.id, line.site, line.participant, line.visit, line.form, line.number or "",
        line.item, line.rule, line.status, line.text_en, line.text_zh, line.opened_by,
        line.opened_at.isoformat(timespec="seconds"), age(line),
        line.answered_at and line.answered_at.isoformat(timespec="seconds"), waits(line),
        line.closed_at and line.closed_at.isoformat(timespec="seconds"), line.assigned_role,
        line.assignee,
    )  # fmt: skip
    return ["" if cell is None else str(cell) for cell in given]


def _file(named: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    text = csv.line(header) + "".join(csv.line(row) for row in rows)
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    return response
