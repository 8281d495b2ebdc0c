"""Sign entries. A signature binds the exact answers, the definition, the version and what it
means; it stands while the entry still has that version, and any later change breaks it in
sight of everybody.
"""

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, Stale
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from ecrf.study.model import Words
from forms import binding, ladder, lookup
from forms.lookup import Found
from forms.tables import Entry


class Leaf(NamedTuple):
    """One entry as it is to be signed: where it stands, what it says, what signing it means."""

    entry: Entry
    participant: str
    visit: str
    meaning: Words

    @property
    def target(self) -> str:
        return f"entry:{self.entry.id}"

    @property
    def refs(self) -> dict[str, object]:
        """Return what the act of signing names, and the signature binds."""
        entry = self.entry
        return {
            "participant": self.participant, "visit": self.visit, "form": entry.form,
            "number": entry.number, "version": entry.version, "protocol": entry.protocol,
            "meaning": self.meaning.en, "meaning_zh": self.meaning.zh,
        }  # fmt: skip

    @property
    def content(self) -> str:
        return binding.digest(self.entry.answers, self.refs)


def sign(session: Session, by: By, found: Found, *, zone: str, seen_version: int) -> int:
    """Sign the entry as the person saw it and return the signature's id.

    `found` was looked up with its chain locked; the caller has had the password typed again.
    `zone` is the signer's time zone, printed with the time.
    """
    role = lookup.role(by, Right.ENTRY_SIGN, found.participant)
    ladder.require(session, found.place, ladder.UNLOCKED, by.at)
    entry, meaning = found.entry, found.form.signed
    if meaning is None:
        raise Conflict(T("{form} asks for no signature.", form=found.form.title))
    if entry is None or entry.status != "complete":
        raise Conflict(T("{form} is signed when it is complete.", form=found.form.title))
    if entry.version != seen_version:
        raise Stale(T("This form was changed after you opened it. Read it again, then sign."))
    if standing(entry):
        raise Conflict(T("{form} is signed already.", form=found.form.title))
    leaf = Leaf(entry, found.participant.code, found.visit.key, meaning)
    (signature_id,) = bind(session, by, role, [leaf], zone)
    who = found.participant
    act = told(by, role, who.study, who.site, leaf, signature_id)
    LEDGER.write(session, by, [(lookup.locked_head(found), act)])
    return signature_id


def bind(session: Session, by: By, role: Role, leaves: Sequence[Leaf], zone: str) -> list[int]:
    """Sign the leaves, all or none, and return the signatures' ids. Two statements."""
    made = list(
        session.scalars(
            insert(Signature).returning(Signature.id, sort_by_parameter_order=True),
            [
                {
                    "target": leaf.target, "version": leaf.entry.version,
                    "content_hash": leaf.content, "person_id": by.actor.id,
                    "printed_name": by.actor.name, "role": role,
                    "meaning_en": leaf.meaning.en, "meaning_zh": leaf.meaning.zh,
                    "at": by.at, "zone": ZoneInfo(zone).key,
                }
                for leaf in leaves
            ],
        )
    )  # fmt: skip
    signatures = {leaf.entry.id: key for leaf, key in zip(leaves, made, strict=True)}
    versions = {leaf.entry.id: leaf.entry.version for leaf in leaves}
    bound = session.connection().scalars(
        update(Entry)
        .where(
            Entry.id.in_(sorted(versions)),
            Entry.version == case(versions, value=Entry.id),
            ladder.writable(ladder.UNLOCKED, by.at),
        )
        .values(signature_id=case(signatures, value=Entry.id), signed_version=Entry.version)
        .returning(Entry.id)
    )
    if len(bound.all()) != len(leaves):
        raise Stale(
            T("This form was changed or locked a moment ago. Read it again, then sign.")
        )
    return made


def told(
    by: By, role: Role, study: str, site: str, leaf: Leaf, signature_id: int, occasion: str = ""
) -> Act:
    """Return the act of signing one entry; `occasion` is what it was signed as a part of."""
    refs = {
        **leaf.refs, "signature": signature_id, "content": leaf.content,
        "printed": by.actor.name,
    }  # fmt: skip
    if occasion:
        refs["occasion"] = occasion
    return Act("entry:sign", role, study, site, key=leaf.target, refs=refs)


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
