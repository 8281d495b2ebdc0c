"""The vault app: all its rooms together, and the way out when the main database is away.

Everything here looks different from the blinded app, so that nobody mistakes where they are.
"""

from flask import Flask, make_response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from ecrf.web.app import away, make_app
from ecrf.web.routes import Pages
from ecrf.web.services import Services, services
from ecrf.web.vault import dispensing, forced
from ecrf.web.vault.breaking import answers, apart, emergency, usual
from ecrf.web.vault.lists import pages as lists
from ecrf.web.vault.oversight import closed, consorting, reads, unblinding
from ecrf.web.vault.supply import (
    batches,
    incidents,
    papers,
    preparing,
    resupplies,
    returns,
    shipments,
    stock,
)
from ecrf.web.vault.supply.room import EXTENSION
from randomization.api import Vault

PAGES: tuple[Pages, ...] = (
    dispensing.pages, shipments.pages, stock.pages, returns.pages, papers.pages, batches.pages,
    incidents.pages, resupplies.pages, preparing.pages, lists.pages, closed.pages, reads.pages,
    unblinding.pages, consorting.pages, forced.pages, usual.pages, emergency.pages,
    answers.pages,
)  # fmt: skip


def create(given: Services, vault: Vault) -> Flask:
    """Return the vault app; it alone holds the opened vault."""
    app = make_app("ecrf.web", given)
    app.extensions[EXTENSION] = vault
    for pages in PAGES:
        app.register_blueprint(pages)
    app.before_request(_turn)
    app.after_request(reads.watch)
    app.register_error_handler(OperationalError, _away)
    return app


def _turn() -> ResponseReturnValue | None:
    """Turn a code break to the vault's own pages when the main database does not answer.

    Also for somebody who is not signed in: nobody can sign in then.
    """
    if not request.path.endswith("/code-break") or apart.answers(services().database):
        return None
    if request.method == "POST":
        return make_response(emergency.show(1, None), 503)
    return redirect(emergency.PAGE)


def _away(failure: OperationalError) -> ResponseReturnValue:
    """Turn there, too, when it goes away in the middle of a request."""
    return _turn() or away(failure)
