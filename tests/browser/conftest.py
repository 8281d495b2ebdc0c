"""A real Chromium in front of a real server, and axe to judge each page's accessibility."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from threading import Event, Thread

import pytest
from waitress.server import create_server

from ecrf.kernel import keys
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config, Environment
from ecrf.kernel.db import Database
from ecrf.web import blinded, both, randomize
from ecrf.web.services import Services
from ecrf.web.vault import app as vault_app
from randomization import api
from tests import people as cast
from tests.conftest import LOUD

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
JUDGE = """async rules => (await axe.run(
    document, {runOnly: rules, resultTypes: ["violations"]})).violations"""
WIDTHS = (1280, 320)
LOOSEN = """() => document.querySelectorAll(".ec-actions--sticky, .ec-strip")
    .forEach(stuck => { stuck.style.position = "static"; })"""


@dataclass(frozen=True)
class Site:
    """A running installation: where it answers, its databases, its vault."""

    url: str
    database: Database
    services: Services
    vault: api.Vault


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests of this process."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"browser tests {LOUD}")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"browser tests {LOUD}: none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def prepared(main_databases):
    """What the site's main database begins with: its people. Modules that need more say so."""
    return main_databases


@pytest.fixture
def site(prepared, vault_databases, tmp_path):
    """Both apps of a training copy with the people of the tests, served at noon."""
    database = Database(prepared.copy("sqlite", tmp_path), lasting=False)
    config = Config.from_env({"ECRF_DATA_DIR": str(tmp_path)})
    config = replace(config, environment=Environment.TRAINING)
    services = Services(config, database, lambda: cast.NOON, Seeded(b"browser"))
    copied = vault_databases.copy("sqlite", tmp_path)
    vault = _vault(config, Database(copied, lasting=False))
    with _served(_apps(services, vault)) as url:
        yield Site(url, database, services, vault)
    database.dispose()
    vault.database.dispose()


def _vault(config, database):
    draw = Seeded(b"keys")
    keys.make(config.signing_key_file, lambda: draw(keys.SEED_BYTES))
    config.vault_key_file.parent.mkdir()
    api.make_key_file(config.vault_key_file, draw)
    return api.open_vault(config, database)


def _apps(services, vault):
    inner = blinded.create(services)
    randomize.connect(inner, vault)
    return both.behind_one_port(inner, vault_app.create(services, vault))


@contextmanager
def _served(app):
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_loop_timeout=0.1)
    closing = Event()

    def run():
        """Serve until closed: the loop may be waiting on a socket just as it is closed."""
        try:
            server.run()
        except OSError:
            if not closing.is_set():
                raise

    thread = Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    closing.set()
    server.close()
    thread.join(timeout=5)


@pytest.fixture(params=("en", "zh"))
def locale(request):
    return request.param


@pytest.fixture(params=WIDTHS)
def width(request):
    """How many CSS pixels wide the window is; 320 is what zooming to 400 % leaves."""
    return request.param


@pytest.fixture
def page(browser, site):
    """A fresh tab at the site; the test fails if a page complains on the console."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    complaints = []
    tab.on("console", lambda said: complaints.extend(_complaint(said)))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("response", lambda response: complaints.extend(_missing(response)))
    yield tab
    context.close()
    assert complaints == []


def _complaint(said):
    """A page may itself be a refusal (401, 422); what it loads may not: see `_missing`."""
    loading = said.text.startswith("Failed to load resource")
    return [said.text] if said.type == "error" and not loading else []


def _missing(response):
    whole = response.request.resource_type == "document"
    # A page may still tell that it is open while its reader signs out.
    late = response.status in (401, 403) and response.url.endswith("/draft?do=open")
    fine = whole or late or response.status < 400
    return [] if fine else [f"{response.status} {response.url}"]


@pytest.fixture
def sign_in(page):
    """Give `sign_in(actor)`: that person fills in the sign-in page."""

    def go(actor):
        page.goto("/sign-in")
        page.locator("#username").fill(cast.username(actor))
        page.locator("#password").fill(cast.PASSWORD)
        page.locator("form:has(#password) button").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    return go


@pytest.fixture
def faults(page):
    """Give `faults()`: what axe finds wrong with the page shown, one line each.

    What sticks to the window's edge is laid where it belongs first: whatever it happens to
    cover at the moment can be scrolled away from under it. What axe finds right is neither
    collected nor sent here: on a long form that takes twice as long as the judging.
    """
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

    def judge():
        page.evaluate(script)
        page.evaluate(LOOSEN)
        return [
            f"{fault['id']}: {node['html']}"
            for fault in page.evaluate(JUDGE, list(RULES))
            for node in fault["nodes"]
        ]

    return judge


@pytest.fixture
def overflow(page):
    """Give `overflow()`: by how many pixels the page is wider than its window."""
    return lambda: page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
