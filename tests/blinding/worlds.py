"""Two worlds that differ only in arms, exchanged in the list and in the kits.

Clock and randomness come in as arguments, so everything a blinded person can reach must be the
same bytes in both.
"""

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from ecrf.cli import serve
from ecrf.cli.demonstration import build, dispensary
from ecrf.cli.installation import Installation, opened
from ecrf.kernel import accounts
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config
from ecrf.kernel.ledger import By, Origin
from ecrf.web import blinded, randomize
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

    def app(self):
        """Return a fresh blinded app whose clock stands still and whose chance repeats."""
        services = Services(self.config, self.place.database, lambda: NOW, Seeded(b"pages"))
        app = blinded.create(services)
        randomize.connect(app, self.vault)
        return app

    @property
    def vault(self):
        return api.open_vault(self.config, self.place.vault)

    def sign_in(self, app, username):
        """Return a client signed in as one person of the cast, and the token of its forms."""
        with self.place.database.write() as session:
            person = accounts.actor(session, username, NOW)
            by = By(person, NOW, Origin.PAGE, Seeded(f"sign in {username}".encode()))
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
            build.everything(place, wish, lambda _: None)
            yield World(place, config)


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.found.append(values["href"])


def crawl(client, start, limit):
    """Yield (path, status, headers, body) of every page reachable by links, breadth first."""
    waiting, seen = deque([start]), {start}
    while waiting and limit:
        path = waiting.popleft()
        answer = client.get(path)
        limit -= 1
        yield path, answer.status_code, sorted(answer.headers.items()), answer.data
        if answer.mimetype != "text/html":
            continue
        links = _Links()
        links.feed(answer.text)
        for link in [*links.found, answer.headers.get("Location", "")]:
            target = urldefrag(urljoin(path, link)).url
            if target and not urlsplit(target).netloc and target not in seen:
                seen.add(target)
                waiting.append(target)
