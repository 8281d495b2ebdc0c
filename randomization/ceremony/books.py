"""What every step of a ceremony begins and ends with: the lock, the standing, one fact more."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Head, canonical
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import design, lists, seal
from randomization.ceremony.steps import NEEDS, Done, Standing, Step, why_not
from randomization.ceremony.tables import Ceremony, CeremonyStep
from randomization.design import Spec
from randomization.opened import Vault, lock
from randomization.tables import LEDGER

LONGEST = 400


@dataclass(frozen=True, slots=True)
class Book:
    """A ceremony under the study's lock, opened by somebody who may do the step."""

    session: Session
    vault: Vault
    by: By
    row: Ceremony
    standing: Standing
    role: Role
    head: Head = field(repr=False)


@contextmanager
def opened(vault: Vault, by: By, study: str, number: int, step: Step) -> Iterator[Book]:
    """Lock the ceremony for a step; refuse who may not do it, and a step out of its turn."""
    role = permitted(by, NEEDS[step], study)
    with vault.database.write() as session:
        head = lock(session, study)
        row = required(session, vault, study, number)
        standing = stand(session, row)
        _require(standing, step, by)
        yield Book(session, vault, by, row, standing, role, head)


def enter(
    book: Book, step: Step, content: Mapping[str, str], *, turn: str = "",
    sealed: bytes | None = None, nonce: bytes | None = None,
) -> Act:  # fmt: skip
    """Store the step; return its act, to be written with `write`."""
    book.session.execute(
        insert(CeremonyStep).values(
            ceremony_id=book.row.id, step=step.value, turn=turn or step.value,
            content=canonical(content), sealed=sealed, nonce=nonce, by_id=book.by.actor.id,
            by_name=book.by.actor.name, role=book.role.value, at=book.by.at,
        )
    )  # fmt: skip
    return act(book.role, book.row, step.value, content)


def write(book: Book, *acts: Act) -> None:
    LEDGER.write(book.session, book.by, [(book.head, one) for one in acts])


def act(role: Role, row: Ceremony, what: str, content: Mapping[str, object]) -> Act:
    refs = {"list": row.version, "environment": row.environment, **content}
    return Act(f"ceremony:{what}", role, row.study, key=f"list:{row.version}", refs=refs)


def permitted(by: By, right: Right, study: str) -> Role:
    role = by.actor.role_for(right, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this step of the ceremony."))
    return role


def stand(session: Session, row: Ceremony) -> Standing:
    """Return where the ceremony stands."""
    steps = session.execute(
        select(
            CeremonyStep.step, CeremonyStep.content, CeremonyStep.by_id, CeremonyStep.by_name,
            CeremonyStep.role, CeremonyStep.at,
        )
        .where(CeremonyStep.ceremony_id == row.id)
        .order_by(CeremonyStep.id)
    )  # fmt: skip
    return Standing(
        row.study, row.environment, row.version, row.imported, row.spec_hash, row.software,
        tuple(
            Done(Step(one.step), json.loads(one.content), one.by_id, one.by_name, one.role,
                 one.at)
            for one in steps
        ),
    )  # fmt: skip


def required(session: Session, vault: Vault, study: str, number: int) -> Ceremony:
    row = session.scalars(
        select(Ceremony).where(
            Ceremony.study == study, Ceremony.environment == vault.environment,
            Ceremony.version == number,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("List {n} of this study has no ceremony here.", n=number))
    return row


def key_of(vault: Vault, row: Ceremony) -> bytes:
    context = lists.list_context("list key", row.study, row.environment, row.version)
    return seal.unwrap(vault.keys.wrapping, context, row.key)


def spec_of(vault: Vault, row: Ceremony) -> Spec:
    context = lists.list_context("spec", row.study, row.environment, row.version)
    text = seal.unseal(key_of(vault, row), context, row.spec, row.spec_nonce)
    return design.from_canonical(text.decode())


def said(item: str, typed: str) -> str:
    """Return what was typed on one line; refuse nothing and too much."""
    text = " ".join(typed.split())
    if not 0 < len(text) <= LONGEST:
        wrong = T("Write 1 to {n} characters.", n=LONGEST)
        raise Unacceptable(wrong, [Problem(item, wrong)])
    return text


def _require(standing: Standing, step: Step, by: By) -> None:
    why = why_not(standing, step, by.actor.id, by.at)
    if why is not None:
        raise Conflict(why)
