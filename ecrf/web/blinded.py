"""The blinded app: every page in which an arm can never appear."""

from flask import Flask

from ecrf.web.app import make_app
from ecrf.web.services import Services


def create(given: Services) -> Flask:
    """Return the blinded app; a page that is not registered here does not exist."""
    app = make_app("ecrf.web", given)
    for pages in ():
        app.register_blueprint(pages)
    return app
