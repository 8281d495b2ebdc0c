"""Closed reports as they were made: kept sealed, released to the board, read on the record.

Reading is two transactions: who reads which report is on the vault's books first, then the
report is opened. A list of reports tells no arm and opens nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import seal
from randomization.closed.tables import ClosedRelease, ClosedReport
from randomization.opened import Vault, lock, one_message
from randomization.seal import Context
from randomization.tables import LEDGER

BLOCK = 8192


class Made(NamedTuple):
    """A report to be kept; `content` holds a salt, `codes` say which code is which arm."""

    study: str
    cut_off: date
    labels: str
    purpose: str
    participants: int
    definition: str
    list_version: int
    data: str
    content: Mapping[str, object]
    codes: Mapping[str, str]


class Kept(NamedTuple):
    """What is known of a report without opening it."""

    number: int
    cut_off: date
    labels: str
    purpose: str
    participants: int
    definition: str
    list_version: int
    data: str
    digest: str
    by_name: str
    at: datetime
    released_at: datetime | None
    released_by: str | None


def keep(vault: Vault, by: By, made: Made) -> int:
    """Seal a report and write it down; return its number."""
    role = _role(by, Right.CLOSED_MAKE, made.study)
    text = canonical(made.content)
    key, wrapped, first, second = by.draw(seal.KEY_BYTES), *(
        by.draw(seal.NONCE_BYTES) for _ in range(3)
    )  # fmt: skip
    with vault.database.write() as session:
        head = lock(session, made.study)
        number = _next(session, vault, made.study)
        place = (made.study, vault.environment, number)
        row = {
            "study": made.study, "environment": vault.environment, "number": number,
            "cut_off": made.cut_off, "labels": made.labels, "purpose": made.purpose,
            "participants": made.participants, "definition": made.definition,
            "list_version": made.list_version, "data": made.data,
            "digest": hashlib.sha256(text.encode()).hexdigest(), "by_id": by.actor.id,
            "by_name": by.actor.name, "at": by.at,
            "key": seal.wrap(vault.keys.wrapping, ("closed key", *place), key, wrapped),
            "content": seal.seal(key, ("closed report", *place), padded(text), first),
            "content_nonce": first, "codes_nonce": second,
            "codes": seal.seal(
                key, ("closed codes", *place), padded(canonical(dict(made.codes))), second
            ),
        }  # fmt: skip
        session.execute(insert(ClosedReport).values(**row))
        refs = {
            "report": number, "cut_off": made.cut_off.isoformat(), "digest": row["digest"],
            "definition": made.definition, "list": made.list_version, "data": made.data,
            "labels": made.labels, "participants": made.participants,
        }  # fmt: skip
        LEDGER.write(session, by, [(head, _act("closed:make", role, made.study, refs))])
    return number


def listing(vault: Vault, by: By, study: str) -> list[Kept]:
    """Return the reports the person may read, newest first; the board sees released ones."""
    _role(by, Right.CLOSED_READ, study)
    with vault.database.read() as session:
        rows = session.execute(_query(vault, study).order_by(ClosedReport.number.desc()))
        found = [Kept._make(row) for row in rows]
    return [kept for kept in found if _may(by, study, kept)]


def read(vault: Vault, by: By, study: str, number: int, form: str) -> tuple[Kept, str]:
    """Return a report and its content, once it is written down that it is read as `form`."""
    kept, row = _opened(vault, by, study, number, "closed:read", {"form": form})
    text = _unsealed(vault, row, "closed report", row.content, row.content_nonce)
    if hashlib.sha256(text.encode()).hexdigest() != row.digest:
        raise Conflict(T("Report {n} is not the one that was made.", n=number))
    return kept, text


def codes(vault: Vault, by: By, study: str, number: int) -> Mapping[str, str]:
    """Return which code of a report is which arm; a read of its own, for the statistician."""
    _role(by, Right.CLOSED_MAKE, study)
    _, row = _opened(vault, by, study, number, "closed:codes", {})
    found: dict[str, str] = json.loads(
        _unsealed(vault, row, "closed codes", row.codes, row.codes_nonce)
    )
    return found


def release(vault: Vault, by: By, study: str, number: int) -> None:
    """Give a report to the board. It cannot be taken back."""
    role = _role(by, Right.CLOSED_MAKE, study)
    with vault.database.write() as session:
        head = lock(session, study)
        row = _row(session, vault, study, number)
        if session.get(ClosedRelease, row.id) is not None:
            raise Conflict(T("Report {n} is released already.", n=number))
        values = {"by_id": by.actor.id, "by_name": by.actor.name, "at": by.at}
        session.execute(insert(ClosedRelease).values(report_id=row.id, **values))
        refs = {"report": number, "digest": row.digest}
        LEDGER.write(session, by, [(head, _act("closed:release", role, study, refs))])


def padded(text: str) -> bytes:
    """Return the text filled up with blanks, so that its length tells little."""
    data = text.encode()
    return data.ljust(-(-len(data) // BLOCK) * BLOCK)


def _opened(
    vault: Vault, by: By, study: str, number: int, action: str, refs: Mapping[str, object]
) -> tuple[Kept, ClosedReport]:
    """Write the act and commit; only then is there a row to be unsealed."""
    role = _role(by, Right.CLOSED_READ, study)
    act = _act(action, role, study, {"report": number, **refs})
    with one_message(vault, by, act), vault.database.write() as session:
        head = lock(session, study)
        found = session.execute(_query(vault, study).where(ClosedReport.number == number))
        kept = Kept._make(found.one_or_none() or _missing(number))
        if not _may(by, study, kept):
            _missing(number)
        LEDGER.write(session, by, [(head, act)])
    with vault.database.read() as session:
        row = _row(session, vault, study, number)
        session.expunge(row)
        return kept, row


def _unsealed(vault: Vault, row: ClosedReport, kind: str, sealed: bytes, nonce: bytes) -> str:
    place: Context = (row.study, row.environment, row.number)
    key = seal.unwrap(vault.keys.wrapping, ("closed key", *place), row.key)
    return seal.unseal(key, (kind, *place), sealed, nonce).decode().rstrip(" ")


def _role(by: By, right: Right, study: str) -> Role:
    role = by.actor.role_for(right, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    return role


def _may(by: By, study: str, kept: Kept) -> bool:
    return kept.released_at is not None or by.actor.may(Right.CLOSED_MAKE, study)


def _act(action: str, role: Role, study: str, refs: Mapping[str, object]) -> Act:
    return Act(action, role, study, key=f"closed:{refs['report']}", refs=refs)


def _query(vault: Vault, study: str) -> Any:
    row = ClosedReport
    return (
        select(
            row.number, row.cut_off, row.labels, row.purpose, row.participants, row.definition,
            row.list_version, row.data, row.digest, row.by_name, row.at,
            ClosedRelease.at.label("released_at"), ClosedRelease.by_name.label("released_by"),
        )
        .outerjoin(ClosedRelease, ClosedRelease.report_id == row.id)
        .where(row.study == study, row.environment == vault.environment)
    )  # fmt: skip


def _next(session: Session, vault: Vault, study: str) -> int:
    last = session.scalar(
        select(func.max(ClosedReport.number)).where(
            ClosedReport.study == study, ClosedReport.environment == vault.environment
        )
    )
    return (last or 0) + 1


def _row(session: Session, vault: Vault, study: str, number: int) -> ClosedReport:
    row = session.scalars(
        select(ClosedReport).where(
            ClosedReport.study == study, ClosedReport.environment == vault.environment,
            ClosedReport.number == number,
        )
    ).one_or_none()  # fmt: skip
    return row if row is not None else _missing(number)


def _missing(number: int) -> NoReturn:
    raise NotFound(T("There is no closed report {n} here.", n=number))
