"""The list of a training copy: it goes through its ceremony, as one in production must."""

from datetime import datetime, timedelta

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Actor, Role
from ecrf.kernel.ledger import By
from randomization import api as lists
from randomization.ceremony import api

BEACON_BYTES = 32
WORDS = "quicknet, round 17842000 (invented for this training copy)"
REGISTRY, COMMITTEE = "Registry record, version 2", "Ethics committee, annex 4"
MACHINE = "Laptop of the second statistician"


def make(stage: Stage, vault: lists.Vault, by: By, spec: lists.Spec) -> None:
    """Make the list over the days before `by.at`; the short way where the cast is too small."""
    maker = stage.cast.get((Role.STATISTICIAN, None))
    second = stage.cast.get((Role.DATA_MANAGER, None))
    if maker is None or second is None:
        lists.generate(vault, by, spec)
        lists.publish(vault, by, spec.study, spec.version)
        lists.activate(vault, by, spec.study, spec.version)
        return
    _draw(stage, vault, maker, by.at, spec)
    _activate(stage, vault, (maker, second), by.at, spec)


def _draw(
    stage: Stage, vault: lists.Vault, maker: Actor, at: datetime, spec: lists.Spec
) -> None:
    """Specification, seed, first publication, beacon, list."""

    def before(days: int) -> By:
        return stage.by(maker, at - timedelta(days=days))

    place = (spec.study, spec.version)
    plan = api.Plan(api.Source.DRAND, WORDS, at - timedelta(days=7))
    api.specify(vault, before(10), spec)
    api.seal_seed(vault, before(9), *place, plan)
    api.announce(vault, before(8), *place, REGISTRY)
    api.beacon(vault, before(6), *place, stage.draw(BEACON_BYTES).hex())
    api.generate(vault, before(5), *place)


def _activate(
    stage: Stage, vault: lists.Vault, people: tuple[Actor, Actor], at: datetime,
    spec: lists.Spec,
) -> None:  # fmt: skip
    """Second publication, the list made again, two signatures."""
    maker, second = people
    place = (spec.study, spec.version)
    api.publish(vault, stage.by(maker, at - timedelta(days=4)), *place, COMMITTEE)
    sealed = api.export(vault, stage.by(maker, at - timedelta(days=3)), *place)
    found = api.reproduce_with(sealed, vault)
    confirming = stage.by(second, at - timedelta(days=2))
    api.confirm(vault, confirming, *place, found.root, found.check, MACHINE)
    for person in people:
        api.activate(vault, stage.by(person, at - timedelta(days=1)), *place)
