"""Two worlds that differ only in arms, exchanged in the list and in the kits.

Clock and randomness come in as arguments, so everything a blinded person can reach must be the
same bytes in both. The arms are called like nothing else (`CANARIES`), so that a name that
escaped can be looked for.
"""

import multiprocessing
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select

from ecrf.cli import serve
from ecrf.cli.demonstration import build, dispensary, profile
from ecrf.cli.demonstration.chooser import Chooser
from ecrf.cli.demonstration.scenes import Player
from ecrf.cli.demonstration.stage import Stage
from ecrf.cli.demonstration.story import Story
from ecrf.cli.installation import Installation, opened
from ecrf.kernel import accounts
from ecrf.kernel.access import BLINDED, Grant, Role
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import SignIn
from ecrf.study import at_sites, shipped, versions
from ecrf.web import blinded, cards, randomize
from ecrf.web.routes import COOKIE
from ecrf.web.services import Services
from ecrf.web.vault import app as vault
from randomization import api
from tests import once
from visits.tables import Participant

STUDY = "nct05974683"
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
CANARIES = ("ZZCANARY1", "ZZCANARY2")
PARTICIPANTS = 6
SCREENED = timedelta(days=10)


@dataclass(frozen=True)
class World:
    """An installation with its apps, at a fixed instant."""

    place: Installation
    config: Config
    dispensary: dispensary.Dispensary

    def app(self, seed=b"pages"):
        """Return a fresh blinded app whose clock stands still and whose chance repeats."""
        app = blinded.create(self.services(seed))
        randomize.connect(app, self.vault)
        return app

    def vault_app(self, seed=b"vault pages"):
        return vault.create(self.services(seed), self.vault)

    def services(self, seed):
        return Services(self.config, self.place.database, lambda: NOW, Seeded(seed))

    @property
    def vault(self):
        return api.open_vault(self.config, self.place.vault)

    def password(self, username):
        shown = cards.read(self.config.data_dir)
        return next((c.password for c in shown if c.username == username), shown[0].password)

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


def canaries(folder):
    """Copy the shipped definitions to `folder`, with the arms of the trial called CANARIES."""
    shutil.copytree(shipped.SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / STUDY / "study.yaml"
    text = path.read_text("utf-8")
    for arm, name in zip(shipped.load(STUDY).arms, CANARIES, strict=True):
        label = f"{{en: {name} by its label, zh: {name} 的名称}}"
        text = re.sub(rf"(id: ){arm.id}(, label: )\{{.*?\}}", rf"\g<1>{name}\g<2>{label}", text)
        text = re.sub(rf"(ratio: .*?)\b{arm.id}\b", rf"\g<1>{name}", text)
    path.write_text(text, "utf-8")
    return folder


def configured(folder, protocols=None):
    settings = {"ECRF_DATA_DIR": str(folder), "ECRF_ENVIRONMENT": "training"}
    if protocols is not None:
        settings["ECRF_PROTOCOLS"] = str(protocols)
    return Config.from_env(settings)


def make(config, monkeypatch, *, exchanged, participants=PARTICIPANTS):
    """Build a world; `exchanged` gives every participant the other arm and every kit too."""
    with monkeypatch.context() as patched:
        if exchanged:
            patched.setattr(dispensary, "arms", lambda rule: sorted(rule.ratio, reverse=True))
        serve.build(config, Seeded(b"keys"))
        with opened(config) as place:
            wish = build.Wish(STUDY, participants, 7, TODAY)
            build.everything(place, wish, lambda _: None)
            _fill_the_cast(place)


def _fill_the_cast(place):
    """Have somebody in every blinded role, whoever plays in the demonstration."""
    draw = Seeded(b"cast")
    by = By(NOBODY, NOW - timedelta(days=1), Origin.COMMAND, draw)
    held = set(blinded_people(place).values())
    with place.database.write() as session:
        for n, role in enumerate(role for role in Role if role in BLINDED - held):
            name = f"extra{n}"
            person = accounts.add(session, by, name, f"Extra {n}", "a phrase long enough 7")
            site = "PUMCH" if role is Role.DELEGATE else None
            accounts.give(session, by, person, Grant(STUDY, role, site), "fills the cast")


def blinded_people(place):
    """Return a user name for each blinded role, and one at another site than the first."""
    with place.database.read() as session:
        plan = profile.read(shipped.folder(None, STUDY))
        names = [account.username for account in plan.accounts]
        names += [f"extra{n}" for n in range(len(Role))]
        found, sites = {}, set()
        for name in names:
            try:
                person = accounts.actor(session, name, NOW)
            except accounts.NotFound:
                continue
            for grant in person.grants:
                known = grant.role in found.values()
                elsewhere = grant.role is Role.INVESTIGATOR and len(sites) == 1
                if grant.role in BLINDED and (not known or elsewhere):
                    found[name] = grant.role
                    sites |= {grant.site} if grant.role is Role.INVESTIGATOR else set()
    return found


def both(root, patch):
    """Build the two worlds in `root`, once for however many processes test at a time."""
    with once.gate(root) as done:
        if not done.exists():
            protocols = canaries(root / "protocols")
            _side_by_side(root, protocols, patch)
            done.touch()
    return root


def _side_by_side(root, protocols, patch):
    """Build each world in a process of its own."""
    fork = multiprocessing.get_context("fork")
    builders = [
        fork.Process(
            target=make, args=(configured(root / name, protocols), patch),
            kwargs={"exchanged": name == "other"},
        )
        for name in ("one", "other")
    ]  # fmt: skip
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert [builder.exitcode for builder in builders] == [0, 0]


@contextmanager
def reopened(built, folder):
    """Give a copy of a built world, to be played on with."""
    shutil.copytree(built, folder)
    config = configured(folder, built.parent / "protocols")
    with opened(config) as place:
        yield World(place, config, _dispensary(place, config))


def _dispensary(place, config):
    """Return the stage of the demonstration with its cast, as it was after the last scene."""
    plan = profile.read(shipped.folder(config, STUDY))
    cast = {}
    with place.database.read() as session:
        fingerprint = at_sites.at(session, STUDY, "PUMCH", TODAY - SCREENED)
        study = versions.model(session, fingerprint)
        for account in plan.accounts:
            actor = accounts.actor(session, account.username, NOW)
            cast.setdefault((Role(account.role), account.site), actor)
    stage = Stage(
        place.database, study, fingerprint, plan, cast, Chooser(Seeded(b"on")), Seeded(b"on")
    )
    return dispensary.Dispensary(stage, api.open_vault(config, place.vault))


def ready_to_randomize(world, number):
    """Have one more participant screened and their eligibility signed; return the code."""
    stage = world.dispensary.stage
    told = Story("PUMCH", TODAY - SCREENED, fails=False, randomized_on=TODAY, contacts=())
    player = Player(stage, world.dispensary, number, told)
    player.screening()
    player.visit(stage.study.randomization.visit, TODAY, careful=True)
    return player.code


def arms(world):
    """Return the arm of every randomized participant: what the worlds differ in."""
    with world.place.database.read() as session:
        rows = session.execute(
            select(Participant.code, Participant.site).where(
                Participant.random_number.is_not(None)
            )
        ).all()
    found = {}
    for code, site in sorted(map(tuple, rows)):
        person = world.dispensary.stage.who(Role.PHARMACIST, site)
        by = By(person, NOW, Origin.PAGE, Seeded(code.encode()))
        (told,) = api.for_preparation(world.vault, by, STUDY, site, [code])
        found[code] = told.arm
    return found
