"""Build a training copy: accounts, an approved definition, a list, kits, all the stories."""

import gc
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple

from ecrf.cli.demonstration import (
    aftermath,
    amendment,
    breaking,
    cleaning,
    closing,
    committee,
    incidents,
    laboratories,
    overseeing,
    profile,
    story,
)
from ecrf.cli.demonstration.chooser import Chooser
from ecrf.cli.demonstration.dispensary import Dispensary
from ecrf.cli.demonstration.profile import Account, Profile
from ecrf.cli.demonstration.scenes import Player, Scene
from ecrf.cli.demonstration.stage import Stage
from ecrf.cli.installation import Installation
from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import TITLES, Actor, Grant, Role
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.chance import Draw, Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.study import shipped, versions
from ecrf.study.model import Study, Words
from ecrf.web import cards
from randomization import api

Tell = Callable[[str], None]
Cast = Mapping[tuple[Role, str | None], Actor]


class Wish(NamedTuple):
    """What is asked for: `today` is the day the copy ends at."""

    study: str
    participants: int
    seed: int
    today: date


def everything(place: Installation, wish: Wish, tell: Tell) -> Dispensary:
    """Fill an empty installation; the same wish always makes the same copy.

    Returned is the stage with the vault, for whoever wants to play on.
    """
    folder = shipped.folder(place.config, wish.study)
    study, plan = shipped.load(wish.study, place.config), profile.read(folder)
    gc.freeze()  # looking for cycles among the definitions again and again costs a tenth
    draw = Seeded(f"{wish.study}/{wish.seed}".encode())
    begin = _noon(wish.today - timedelta(days=plan.months * 30 + 30))
    by = By(NOBODY, begin, Origin.COMMAND, draw)
    tell("Accounts …")
    cast = _cast(place, by, study, plan)
    fingerprint = _approve(place, by, study, cast)
    stage = Stage(
        place.database, study, fingerprint, plan, cast, Chooser(Seeded(draw(32))), draw
    )
    dispensary = Dispensary(stage, api.open_vault(place.config, place.vault))
    dispensary.stock(by)
    laboratories.begin(stage, by)
    _play(stage, dispensary, wish, tell)
    tell("Queries, corrections …")
    committee.report(stage, dispensary, wish.today)
    aftermath.play(stage, wish.today)
    laboratories.play(stage, wish.today)
    incidents.play(stage, wish.today)
    committee.play(stage, wish.today)
    overseeing.play(stage, wish.today)
    cleaning.play(stage, wish.today)
    breaking.play(stage, dispensary, wish.today)
    dispensary.resupply(wish.today)
    amendment.play(stage, wish.today)
    closing.play(stage, checkpoints.desk(place.config), wish.today)
    return dispensary


def _play(stage: Stage, dispensary: Dispensary, wish: Wish, tell: Tell) -> None:
    scenes: list[Scene] = []
    for number in range(wish.participants):
        told = story.tell(
            stage.study, stage.profile, number, wish.participants, wish.today, stage.choose
        )
        scenes += Player(stage, dispensary, number, told).scenes()
    scenes.append(_first_review(stage, wish.today))
    scenes.sort(key=lambda scene: scene[:2])
    for place, (_, _, act) in enumerate(scenes, 1):
        act()
        if place % 10 == 0:
            tell(f"{place} of {len(scenes)} scenes …")


def _first_review(stage: Stage, today: date) -> Scene:
    """All checks are run again once, a third of the way through, when there is little yet."""
    on = today - timedelta(days=stage.profile.months * 20)
    at = stage.at(stage.study.sites[0].code, on, 16)
    return at, -1, partial(cleaning.check_again, stage, on)


def _cast(place: Installation, by: By, study: Study, plan: Profile) -> Cast:
    """Make the accounts, give their roles, and write the cards of the sign-in page."""
    password = _password(by.draw)
    cast: dict[tuple[Role, str | None], Actor] = {}
    with place.database.write() as session:
        accounts.set_up(session, by)
        for account in plan.accounts:
            role = Role(account.role)
            grant = Grant(study.id, role, account.site)
            person = accounts.add(session, by, account.username, account.name, password)
            accounts.give(session, by, person, grant, "training copy")
            key = (role, account.site)
            key = (role, f"second {account.username}") if key in cast else key
            cast[key] = Actor(person, account.name, frozenset({grant}))
    cards.write(place.config.data_dir, [_card(account, password) for account in plan.accounts])
    return cast


def _card(account: Account, password: str) -> cards.Card:
    title = TITLES[Role(account.role)]
    site = f" · {account.site}" if account.site else ""
    role = Words(en=title.in_("en") + site, zh=title.in_("zh") + site)
    return cards.Card(account.username, password, account.name, role, account.task)


def _approve(place: Installation, by: By, study: Study, cast: Cast) -> str:
    """Have two data managers approve the definition."""
    managers = [actor for (role, _), actor in cast.items() if role is Role.DATA_MANAGER]
    with place.database.write() as session:
        for actor in managers[:2]:
            versions.approve(session, By(actor, by.at, by.origin, by.draw), study)
        return versions.in_force(session, study.id)[1]


def _password(draw: Draw) -> str:
    """Return a password that is easy to type and long enough."""
    words = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")
    return "-".join(words[byte % len(words)] for byte in draw(3)) + f"-{draw(1)[0]:03d}"


def _noon(on: date) -> datetime:
    return datetime.combine(on, time(4), UTC)
