"""A study in a few words: for everybody who has a role in it, also those who see no data."""

from flask import g, render_template
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import TITLES, Right
from ecrf.web import where
from ecrf.web.routes import Pages

pages = Pages("about", __name__)


@pages.page("/<study_id>/about", needs=Right.STUDY_READ)
def show(study_id: str) -> ResponseReturnValue:
    found = where.in_force(study_id, Right.STUDY_READ)
    roles = sorted({grant.role for grant in g.actor.grants if grant.study == study_id})
    return render_template(
        "about.html",
        study=found.study,
        fingerprint=found.fingerprint,
        roles=[TITLES[role] for role in roles],
    )
