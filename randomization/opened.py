"""An opened vault: its database, its keys, and what every service of it begins with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import getLogger

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ecrf.kernel import chain
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Head
from ecrf.kernel.db import Database
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from ecrf.kernel.together import Together
from randomization.asking import REFERENCE_BYTES, unavailable
from randomization.seal import Keys
from randomization.tables import LEDGER

_LOG = getLogger("ecrf.vault")


@dataclass(frozen=True, slots=True)
class Vault:
    """What opens arms. `environment` names the lists and kits it may serve from.

    `together` is where those wait who ask at the same time.
    """

    database: Database
    keys: Keys = field(repr=False)
    environment: str
    together: Together = field(default_factory=Together, repr=False, compare=False)


class NotNow(Exception):
    """Something is missing. The cause stays in the vault; outside there is one message."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def vault_chain(study: str) -> str:
    """Return the name of the chain all acts of the study's vault stand on."""
    return f"vault:{study}"


def lock(session: Session, study: str) -> Head:
    """Lock the study's chain head, the one lock of the vault; begin the chain if need be."""
    columns = LEDGER.chain.c
    row = session.execute(
        select(columns.name, columns.size, columns.link, columns.last_at)
        .where(columns.name == vault_chain(study))
        .with_for_update()
    ).one_or_none()
    return Head(*row) if row else chain.start(vault_chain(study))


def permitted(by: By, right: Right, study: str, site: str) -> Role:
    """Return the role under which the person may do it at the site; else refuse."""
    role = by.actor.role_for(right, study, site)
    if role is None:
        raise NotAllowed(T("Your role does not include this at site {site}.", site=site))
    return role


@contextmanager
def one_message(vault: Vault, by: By, act: Act) -> Iterator[None]:
    """Turn every cause of failure into one and the same message with a reference.

    The cause is written on the vault's chain, where the unblinded side finds it by the
    reference. A failing database gives the same message.
    """
    with one_silence(by):
        try:
            yield
        except NotNow as missing:
            reference = by.draw(REFERENCE_BYTES).hex()
            _note_cause(vault, by, act, reference, missing.cause)
            raise unavailable(reference) from None


@contextmanager
def one_silence(by: By) -> Iterator[None]:
    """Turn a failing database into the one message with a reference, and nothing else."""
    try:
        yield
    except DBAPIError as failure:
        reference = by.draw(REFERENCE_BYTES).hex()
        _LOG.error("the vault's database: %s, reference %s", type(failure).__name__, reference)
        raise unavailable(reference) from None


def _note_cause(vault: Vault, by: By, act: Act, reference: str, cause: str) -> None:
    refs = {**act.refs, "reference": reference}
    refused = Act(act.action, act.role, act.study, act.site, act.key, refs, cause)
    with vault.database.write() as session:
        LEDGER.write(session, by, [(lock(session, act.study or ""), refused)])
