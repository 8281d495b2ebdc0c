"""Sign entries. A signature binds the exact answers, the definition and the version; it stands
while the entry still has that version, and any later change breaks it in sight of everybody.
"""

import hashlib
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, Stale
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from ecrf.study.model import Words
from forms import ladder, lookup
from forms.lookup import Found
from forms.tables import Entry


def sign(session: Session, by: By, found: Found, *, zone: str, seen_version: int) -> int:
    """Sign the entry as the person saw it and return the signature's id.

    `found` was looked up with its chain locked; the caller has had the password typed again.
    `zone` is the signer's time zone, printed with the time.
    """
    role = lookup.role(by, Right.ENTRY_SIGN, found.participant)
    ladder.require(session, found.place, ladder.UNLOCKED)
    entry, meaning = found.entry, found.form.signed
    if meaning is None:
        raise Conflict(T("{form} asks for no signature.", form=found.form.title))
    if entry is None or entry.status != "complete":
        raise Conflict(T("{form} is signed when it is complete.", form=found.form.title))
    if entry.version != seen_version:
        raise Stale(T("This form was changed after you opened it. Read it again, then sign."))
    if standing(entry):
        raise Conflict(T("{form} is signed already.", form=found.form.title))
    digest = content_hash(found)
    signature_id = _insert(session, by, role, meaning, entry, digest, ZoneInfo(zone).key)
    _bind(session, found, entry, signature_id)
    refs = {
        "participant": found.participant.code, "visit": found.visit.key,
        "form": found.form.id, "number": found.number, "version": entry.version,
        "protocol": found.fingerprint, "signature": signature_id, "content": digest,
        "printed": by.actor.name, "meaning": meaning.en,
    }  # fmt: skip
    who = found.participant
    act = Act("entry:sign", role, who.study, who.site, key=_target(entry), refs=refs)
    LEDGER.write(session, by, [(lookup.locked_head(found), act)])
    return signature_id


def _insert(
    session: Session, by: By, role: Role, meaning: Words, entry: Entry, digest: str, zone: str
) -> int:
    return session.scalars(
        insert(Signature)
        .values(
            target=_target(entry), version=entry.version, content_hash=digest,
            person_id=by.actor.id, printed_name=by.actor.name, role=role,
            meaning_en=meaning.en, meaning_zh=meaning.zh, at=by.at, zone=zone,
        )
        .returning(Signature.id)
    ).one()  # fmt: skip


def _target(entry: Entry) -> str:
    return f"entry:{entry.id}"


def standing(entry: Entry) -> bool:
    """Say whether the entry carries a signature that still stands."""
    return entry.signature_id is not None and entry.signed_version == entry.version


def broken(entry: Entry) -> bool:
    """Say whether the entry was changed after it was signed."""
    return entry.signature_id is not None and entry.signed_version != entry.version


def of_entry(session: Session, entry_id: int) -> list[Signature]:
    """Return the signatures the entry ever carried, oldest first."""
    query = select(Signature).where(Signature.target == f"entry:{entry_id}")
    return list(session.scalars(query.order_by(Signature.id)))


def content_hash(found: Found) -> str:
    """Return the SHA-256 of what a signature binds: answers, definition, form, version."""
    content = {
        "answers": found.entry.answers if found.entry else {},
        "definition": found.fingerprint,
        "form": found.form.id,
        "version": found.version,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _bind(session: Session, found: Found, entry: Entry, signature_id: int) -> None:
    bound = session.connection().scalar(
        update(Entry)
        .where(
            Entry.id == entry.id,
            Entry.version == entry.version,
            Entry.state.in_(ladder.UNLOCKED),
            ladder.still(found.place, ladder.UNLOCKED),
        )
        .values(signature_id=signature_id, signed_version=entry.version)
        .returning(Entry.id)
    )
    if bound is None:
        raise Stale(
            T("This form was changed or locked a moment ago. Read it again, then sign.")
        )
