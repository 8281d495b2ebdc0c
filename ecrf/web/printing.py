"""Paper: blank and annotated forms; casebooks of one participant or of a whole site."""

from collections import OrderedDict

from flask import Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import LOCALES, T
from ecrf.web import where
from ecrf.web.routes import Pages
from ecrf.web.services import services
from reports import printing
from reports.printing import Wanted
from visits import lookup

pages = Pages("printing", __name__)
MOST_KEPT = 8
_DRAWN: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
"""The papers asked for last: a whole book takes seconds, and is the same for everybody."""


@pages.page("/<study_id>/paper", needs=Right.STUDY_READ)
def paper(study_id: str) -> ResponseReturnValue:
    """Offer the papers of the study in force."""
    study = where.in_force(study_id, Right.STUDY_READ).study
    sites = lookup.sites(g.session, g.actor, study_id, Right.ENTRY_READ)
    return render_template("paper.html", study=study, sites=sites)


@pages.page("/<study_id>/paper.pdf", needs=Right.STUDY_READ)
def blank(study_id: str) -> ResponseReturnValue:
    """Draw what was asked for: a form, a visit, the whole book; blank, fillable, annotated."""
    from reports.blank import book  # noqa: PLC0415 (slow to load, seldom needed)
    from reports.blank.wording import LANGUAGES  # noqa: PLC0415

    force = where.in_force(study_id, Right.STUDY_READ)
    given, kind = request.args.get("lang"), request.args.get("kind", "")
    language = next((known for known in LANGUAGES if known == given), g.locale)
    asked = book.Asked(
        request.args.get("form", ""), request.args.get("visit", ""), kind == "annotated",
        language, kind == "fillable",
    )  # fmt: skip
    training = services().config.environment is Environment.TRAINING
    key = (force.fingerprint, *map(str, asked), str(training))
    if key not in _DRAWN:
        _DRAWN[key] = book.draw(force.study, force.fingerprint, asked, training=training)
        while len(_DRAWN) > MOST_KEPT:
            _DRAWN.popitem(last=False)
    response = make_response(_DRAWN[key])
    response.headers["Content-Type"] = "application/pdf"
    name = f"{study_id}-{asked.name}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@pages.page("/<study_id>/participants/<code>/casebook.pdf", needs=Right.ENTRY_READ)
def casebook(study_id: str, code: str) -> ResponseReturnValue:
    """Print a participant's casebook, in the language asked for or that of the page."""
    where.in_force(study_id, Right.ENTRY_READ)
    database = services().database
    with database.write() as session:
        printed = printing.casebook(database, session, g.by, study_id, code, _wanted())
    response = make_response(printed.content)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{printed.name}"'
    return response


@pages.page("/<study_id>/sites/<site>/casebooks.zip", needs=Right.ENTRY_READ)
def casebooks(study_id: str, site: str) -> ResponseReturnValue:
    """Send the casebooks of a site's participants, one after the other, as they are drawn."""
    codes = printing.at_site(g.session, g.actor, study_id, site)
    if not codes:
        raise NotFound(T("There are no participants at this site."))
    database, wanted = services().database, _wanted()
    name = f"casebooks-{study_id}-{site}-{wanted.locale}.zip"
    return Response(
        printing.casebooks(database, g.by, study_id, codes, wanted), mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def _wanted() -> Wanted:
    asked = request.args.get("lang")
    return Wanted(
        asked if asked in LOCALES else g.locale,
        services().config.environment is Environment.TRAINING,
        compact="compact" in request.args,
        audit=request.args.get("audit") != "no",
    )
