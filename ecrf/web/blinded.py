"""The blinded app: every page in which an arm can never appear."""

from flask import Flask

from ecrf.web import (
    about,
    adjudication,
    amendments,
    ask,
    breaks,
    cases,
    changes,
    deviations,
    double,
    drafts,
    entries,
    exports,
    files,
    gridfiles,
    home,
    laboratory,
    ledger,
    locks,
    participants,
    people,
    pin,
    printing,
    quality,
    queries,
    query,
    randomize,
    receipt,
    rejudged,
    results,
    review,
    signing,
    sites,
    stratum,
    unlocks,
    visit,
)
from ecrf.web.app import make_app
from ecrf.web.routes import Pages
from ecrf.web.services import Services

PAGES: tuple[Pages, ...] = (
    about.pages, home.pages, breaks.pages, participants.pages, visit.pages,
    entries.pages, changes.pages,
    files.pages,
    deviations.pages, double.pages,
    drafts.pages, gridfiles.pages, queries.pages, query.pages, ask.pages, adjudication.pages,
    cases.pages,
    review.pages, signing.pages, randomize.pages, receipt.pages,
    stratum.pages, locks.pages, unlocks.pages,
    exports.pages, ledger.pages,
    people.pages, pin.pages, sites.pages,
    printing.pages, laboratory.pages, results.pages, quality.pages,
    amendments.pages,
    rejudged.pages,
)  # fmt: skip


def create(given: Services) -> Flask:
    """Return the blinded app; a page that is not registered here does not exist."""
    app = make_app("ecrf.web", given)
    for pages in PAGES:
        app.register_blueprint(pages)
    return app
