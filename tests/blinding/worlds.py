"""Two worlds that differ only in arms, exchanged in the list and in the kits.

Clock and randomness come in as arguments, so everything a blinded person can reach must be the
same bytes in both.
"""

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from sqlalchemy import func, select

from ecrf.cli import serve
from ecrf.cli.demonstration import build, dispensary
from ecrf.cli.demonstration.scenes import Player
from ecrf.cli.demonstration.story import Story
from ecrf.cli.installation import Installation, opened
from ecrf.kernel import accounts
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import SignIn
from ecrf.web import blinded, cards, randomize
from ecrf.web.routes import COOKIE
from ecrf.web.services import Services
from randomization import api

STUDY = "nct05974683"
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """An installation with its apps, at a fixed instant."""

    place: Installation
    config: Config
    dispensary: dispensary.Dispensary

    def app(self):
        """Return a fresh blinded app whose clock stands still and whose chance repeats."""
        services = Services(self.config, self.place.database, lambda: NOW, Seeded(b"pages"))
        app = blinded.create(services)
        randomize.connect(app, self.vault)
        return app

    @property
    def vault(self):
        return api.open_vault(self.config, self.place.vault)

    def password(self, username):
        shown = cards.read(self.config.data_dir)
        return next(card.password for card in shown if card.username == username)

    def sign_in(self, app, username):
        """Return a client signed in as one person of the cast, and the token of its forms."""
        with self.place.database.write() as session:
            person = accounts.actor(session, username, NOW)
            before = session.scalar(select(func.count()).select_from(SignIn))
            by = By(person, NOW, Origin.PAGE, Seeded(f"sign in {before}".encode()))
            token, csrf = accounts.sign_in(session, by, person.id)
        client = app.test_client()
        client.set_cookie(COOKIE, token)
        return client, csrf


@contextmanager
def world(folder, monkeypatch, *, exchanged, participants=6):
    """Build a world; `exchanged` gives every participant the other arm and every kit too."""
    with monkeypatch.context() as patched:
        if exchanged:
            patched.setattr(dispensary, "arms", lambda rule: sorted(rule.ratio, reverse=True))
        config = Config.from_env({"ECRF_DATA_DIR": str(folder), "ECRF_ENVIRONMENT": "training"})
        serve.build(config, Seeded(b"keys"))
        with opened(config) as place:
            wish = build.Wish(STUDY, participants, 7, TODAY)
            yield World(place, config, build.everything(place, wish, lambda _: None))


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.found.append(values["href"])


def links(page):
    """Return where the links of a page lead, in order."""
    reader = _Links()
    reader.feed(page)
    return reader.found


APART = ".zip"
"""What is made at length is compared once, in a test of its own."""


def crawl(client, start, limit):
    """Yield (path, status, headers, body) of every page reachable by links, breadth first."""
    waiting, seen = deque([start]), {start}
    while waiting and limit:
        path = waiting.popleft()
        answer = client.get(path, buffered=True)
        limit -= 1
        yield path, answer.status_code, sorted(answer.headers.items()), answer.data
        if answer.mimetype != "text/html":
            continue
        for link in [*links(answer.text), answer.headers.get("Location", "")]:
            target = urldefrag(urljoin(path, link)).url
            if target and not _apart(target) and target not in seen:
                seen.add(target)
                waiting.append(target)


def _apart(target):
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.path.endswith(APART)


def ready_to_randomize(world, number):
    """Have one more participant screened and their eligibility signed; return the code."""
    stage = world.dispensary.stage
    told = Story(
        "PUMCH", TODAY - timedelta(days=10), fails=False, randomized_on=TODAY, contacts=()
    )
    player = Player(stage, world.dispensary, number, told)
    player.screening()
    player.visit(stage.study.randomization.visit, TODAY, careful=True)
    return player.code
