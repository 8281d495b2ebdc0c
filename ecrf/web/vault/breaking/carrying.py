"""Carry the vault's code breaks over to the main side. Doing it again is harmless."""

from logging import getLogger

from sqlalchemy.exc import DBAPIError

from ecrf.kernel.access import Actor
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By
from ecrf.study import versions
from forms.unblinded import events
from randomization.api import Vault
from randomization.breaking import api

_LOG = getLogger("ecrf.vault")


def told(one: api.Told) -> events.Told:
    """Return what the blinded side is told of a code break."""
    safety = one.purpose == api.SAFETY_REPORTING
    kind = events.SAFETY if safety else events.EMERGENCY
    return events.Told(
        one.ref, kind, one.way, one.why, one.by_name, one.at, one.contacted, one.telephone,
        one.to_role,
    )  # fmt: skip


def carry(database: Database, vault: Vault, by: By) -> int:
    """Write every code break down that the main side does not know; return how many."""
    return sum(_one(database, vault, by, one) for one in api.waiting(vault))


def _one(database: Database, vault: Vault, by: By, one: api.Told) -> bool:
    """One of them: a failure leaves it for the next time and does not stop the others."""
    person = By(Actor(one.by_id, one.by_name, frozenset()), by.at, by.origin, by.draw)
    try:
        with database.write() as session:
            who = events.find(session, one.study, one.participant)
            if who is None:
                _LOG.error("code break %s: the main side has no such participant", one.ref)
                return False
            study, _ = versions.in_force(session, one.study)
            why = api.REASONS[api.Why(one.why)]
            new = events.record(session, person, study, who, told(one), why)
        api.carried(vault, by, one.call_id)
    except DBAPIError as failure:
        _LOG.error("code break %s is carried over later: %s", one.ref, type(failure).__name__)
        return False
    return new
