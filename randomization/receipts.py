"""Receipts: the vault's signed word that a participant stands on a slot. Pure.

A receipt names the slot, not its leaf: a leaf depends on the arm, and nothing on the blinded
side may. Slot ids are unique under the published root, so it binds as much. Each receipt
carries the hash of the one before it on its list, so the order of allocation cannot be altered.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ecrf.kernel import keys
from ecrf.kernel.chain import canonical, stamp
from ecrf.kernel.keys import Signer, Verifier

FIRST = "0" * 64


class Receipt(NamedTuple):
    """What the blinded side gets. `text` is signed; it holds the numbers too."""

    random_number: str
    kit_numbers: tuple[str, ...]
    text: str
    signature: str

    @property
    def at(self) -> datetime:
        """When the participant was put on the slot; stays the same however often asked."""
        return datetime.fromisoformat(stated(self.text)["at"])

    @property
    def forced(self) -> bool:
        """Whether a precondition was set aside for it."""
        return bool(stated(self.text).get("forced"))


class Facts(NamedTuple):
    """What a receipt states. `forced`: a precondition was set aside by two people.

    The published root is not on it: it follows from the arms, and nothing here may.
    """

    study: str
    environment: str
    list: int
    slot: str
    stratum: str
    site: str
    participant: str
    random_number: str
    kits: tuple[str, ...]
    at: datetime
    previous: str
    forced: bool = False


def sign(signer: Signer, facts: Facts) -> Receipt:
    """Return the signed receipt; `forced` is on it only where it is true."""
    values = {**facts._asdict(), "v": 1, "kits": list(facts.kits), "at": stamp(facts.at)}
    if not facts.forced:
        del values["forced"]
    text, signature = signed(signer, {**values, "signed_by": signer.verifier.text()})
    return Receipt(facts.random_number, facts.kits, text, signature)


def signed(signer: Signer, facts: Mapping[str, object]) -> tuple[str, str]:
    """Return the one text of `facts`, and the vault's signature under it."""
    text = canonical(dict(facts))
    return text, base64.b64encode(signer.sign(text.encode())).decode()


def reread(text: str, signature: str) -> Receipt:
    """Return the receipt that was given with this text."""
    said = stated(text)
    return Receipt(said["random_number"], tuple(said["kits"]), text, signature)


def stated(text: str) -> dict[str, Any]:
    """Return what the text of a receipt states."""
    said: dict[str, Any] = json.loads(text)
    return said


def accepts(verifier: Verifier, receipt: Receipt) -> bool:
    """Say whether the vault with this public key signed this text."""
    try:
        signature = base64.b64decode(receipt.signature, validate=True)
    except binascii.Error:
        return False
    return verifier.accepts(receipt.text.encode(), signature)


def receipt_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check(public_key: str, stored: str) -> Receipt | None:
    """Return the receipt if the holder of `public_key` signed it, as printed or stored.

    `stored` is the text, a line break, the signature, as in the QR code. None when it is no
    receipt, names another key or was not signed with it.
    """
    text, _, signature = stored.strip().partition("\n")
    try:
        receipt = reread(text, signature.strip())
        named = stated(text)["signed_by"]
        verifier = keys.verifier(public_key)
    except (ValueError, KeyError, TypeError):
        return None
    good = named == verifier.text() and accepts(verifier, receipt)
    return receipt if good else None
