"""Paper: casebooks of one participant or of a whole site."""

from flask import Response, g, make_response, request
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

pages = Pages("printing", __name__)


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
