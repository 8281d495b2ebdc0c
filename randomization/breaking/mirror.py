"""The vault's own copy of what a code break needs while the main database does not answer.

People who may break codes (user name, name, hash of the password, grants), the words for arms
and sites. It is sealed as a whole under the vault's key; no session and no password is in it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chain import canonical
from ecrf.kernel.ledger import By
from randomization import seal
from randomization.breaking.tables import Mirror
from randomization.opened import Vault

Two = Mapping[str, str]
"""A text in both languages, by locale."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who may break codes; `grants` are (role, site or None, end or None)."""

    id: int
    username: str
    name: str
    password: str
    grants: tuple[tuple[str, str | None, str | None], ...]

    def actor(self, study: str, at: datetime) -> Actor:
        """Return the person with the grants that have not ended."""
        held = frozenset(
            Grant(study, Role(role), site)
            for role, site, ends in self.grants
            if ends is None or datetime.fromisoformat(ends) > at
        )
        return Actor(self.id, self.name, held)


@dataclass(frozen=True, slots=True)
class Copy:
    """What is mirrored of one study. `answer_to` is the role answers are sent to, or ""."""

    title: Two
    arms: Mapping[str, Two]
    sites: Mapping[str, Two]
    words: tuple[str, ...]
    answer_to: str
    holders: tuple[Holder, ...]


class Mirrored(NamedTuple):
    """A copy with the moment it was last the same as the main side."""

    study: str
    at: datetime
    version: str
    copy: Copy


def keep(vault: Vault, by: By, study: str, copy: Copy) -> bool:
    """Store the copy; return whether it differs from the one before. Not on the ledger: it
    tells nothing that the main side's ledger does not tell.
    """
    text = canonical(asdict(copy))
    version = hashlib.sha256(text.encode()).hexdigest()
    with vault.database.write() as session:
        known = session.scalar(
            select(Mirror.version).where(Mirror.study == study).with_for_update()
        )
        if known == version:
            session.execute(update(Mirror).where(Mirror.study == study).values(at=by.at))
            return False
        nonce = by.draw(seal.NONCE_BYTES)
        sealed = seal.seal(vault.keys.wrapping, _context(study), text.encode(), nonce)
        values = {"version": version, "at": by.at, "content": sealed, "nonce": nonce}
        if known is None:
            session.execute(insert(Mirror).values(study=study, **values))
        else:
            session.execute(update(Mirror).where(Mirror.study == study).values(**values))
    return True


def read(vault: Vault, study: str) -> Mirrored | None:
    """Return the copy of a study, opened."""
    with vault.database.read() as session:
        row = session.scalars(select(Mirror).where(Mirror.study == study)).one_or_none()
        if row is None:
            return None
        text = seal.unseal(vault.keys.wrapping, _context(study), row.content, row.nonce)
        return Mirrored(row.study, row.at, row.version, _copy(json.loads(text)))


def studies(vault: Vault) -> dict[str, datetime]:
    """Return the studies that are mirrored, and since when each copy is known to be right."""
    with vault.database.read() as session:
        rows = session.execute(select(Mirror.study, Mirror.at).order_by(Mirror.study))
        return {row.study: row.at for row in rows}


def _context(study: str) -> seal.Context:
    return ("mirror", study)


def _copy(content: dict[str, Any]) -> Copy:
    return Copy(
        title=content["title"], arms=content["arms"], sites=content["sites"],
        words=tuple(content["words"]), answer_to=content["answer_to"],
        holders=tuple(
            Holder(**{**one, "grants": tuple(map(tuple, one["grants"]))})
            for one in content["holders"]
        ),
    )  # fmt: skip
