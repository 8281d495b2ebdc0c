"""A vault that answers over a line, as in a process of its own, within the test's process."""

import socket
import tempfile
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from waitress.server import create_server

from ecrf.kernel import chance, clock
from ecrf.web import vault_address
from ecrf.web.vault.service import Service
from ecrf.web.vault_client import Line
from tests.databases import Prepared
from tests.randomization.conftest import (  # noqa: F401
    keys,
    stocked_databases,
    vault,
)
from tests.vault_apart.installations import fill

SECRET = b"s" * 32


@contextmanager
def served(app, **told):
    """Serve a WSGI app until the block ends."""
    server = create_server(app, threads=4, ident=None, asyncore_loop_timeout=0.1, **told)
    closing = Event()

    def run():
        """The loop may be waiting on a socket just as it is closed."""
        try:
            server.run()
        except OSError:
            if not closing.is_set():
                raise

    thread = Thread(target=run, daemon=True)
    thread.start()
    yield server
    closing.set()
    server.close()
    thread.join(timeout=5)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def line_to(text, secret=SECRET, patience=20.0, now=clock.now, draw=chance.system):
    return Line(vault_address.read(text), secret, now, draw, patience)


@pytest.fixture(scope="session")
def filled_vaults(tmp_path_factory, postgres_server):
    """Vaults of the shipped trial, made once and copied."""
    folder = tmp_path_factory.mktemp("filled")

    def make(database):
        fill(database, folder / "vault.key")

    return Prepared(folder / "filled.db", postgres_server, make)


@pytest.fixture(params=("unix", "http"))
def address(request):
    """Where the vault answers: both ways in turn."""
    if request.param == "http":
        yield f"http://127.0.0.1:{free_port()}"
        return
    with tempfile.TemporaryDirectory(prefix="ecrf-") as short:
        yield f"unix://{short}/vault.sock"


@pytest.fixture
def service(vault):  # noqa: F811
    return Service(vault, SECRET, clock.now, chance.system)


@pytest.fixture
def line(service, address):
    """A line to the stocked vault."""
    with served(service, **vault_address.read(address).listening()):
        yield line_to(address)
