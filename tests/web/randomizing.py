"""What tests of randomizing share: the fixtures of `test_randomize` and what is looked at."""

from sqlalchemy import select

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.ledger import LEDGER, participant_chain
from tests.people import STUDY
from tests.web.test_randomize import (
    CODE,
    PAGE,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    stored,
    trial,
    unblinded,
    vault_app,
)
from visits.allocating.tables import Asking

__all__ = [
    "CODE",
    "PAGE",
    "STUDY",
    "SUE",
    "actions",
    "app",
    "asked",
    "confirm",
    "database",
    "listed_databases",
    "opened",
    "ready_databases",
    "stored",
    "trial",
    "unblinded",
    "vault_app",
]  # fmt: skip
SUE = Actor(1900, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)}))


def asked(database):
    """Return what was asked and refused, in order."""
    with database.read() as session:
        return session.scalars(select(Asking.kind).order_by(Asking.id)).all()


def actions(database):
    """Return the actions on the participant's chain, in order."""
    with database.read() as session:
        act = LEDGER.act.c
        chain = participant_chain(STUDY, CODE)
        return session.scalars(
            select(act.action).where(act.chain == chain).order_by(act.seq)
        ).all()
