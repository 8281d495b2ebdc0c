"""The blinded app on a fresh database, and signed-in clients for the people of the tests."""

from dataclasses import replace

import pytest

from ecrf.kernel import accounts
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config, Environment
from ecrf.web import blinded
from ecrf.web.routes import COOKIE
from ecrf.web.services import Services
from tests import people as cast


@pytest.fixture
def config(tmp_path):
    made = Config.from_env({"ECRF_DATA_DIR": str(tmp_path / "var")})
    return replace(made, environment=Environment.TEST)


@pytest.fixture
def services(config, database):
    return Services(config, database, lambda: cast.NOON, Seeded(b"web"))


@pytest.fixture
def app(services):
    return blinded.create(services)


class Visitor:
    """A person at a browser with their session; what they post carries the form's token."""

    def __init__(self, client, csrf):
        self.client = client
        self.csrf = csrf

    def get(self, path, **options):
        return self.client.get(path, **options)

    def post(self, path, data=None, **options):
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **options)


@pytest.fixture
def visitor(app, database, by):
    """Give `visitor(actor)`: that person signed in; `visitor(None)`: nobody."""

    def arrive(actor):
        client = app.test_client()
        if actor is None:
            return Visitor(client, "")
        with database.write() as session:
            token, csrf = accounts.sign_in(session, by(actor), actor.id)
        client.set_cookie(COOKIE, token)
        return Visitor(client, csrf)

    return arrive
