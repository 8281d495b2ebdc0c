"""Sealing: AES-256-GCM under a key of its own for every slot and kit.

The key of a slot is derived (HKDF, RFC 5869) from the data key of its list, which is stored
only wrapped by the key file. What a ciphertext belongs to is both the derivation's info and the
authenticated data, so nothing can be moved to another slot; every arm's ciphertext is equally
long.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ecrf.kernel import keys
from ecrf.kernel.chain import canonical
from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.keys import Signer
from ecrf.kernel.text import T
from randomization.arm import Arm

NAME = "ecrf-vault"
KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12
PADDED = 128

Context = tuple[str | int, ...]
"""What a ciphertext belongs to: its kind first, then study, list, slot, stratum, position."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the vault's key file holds: the key that wraps data keys, the key that signs."""

    wrapping: bytes = field(repr=False)
    signer: Signer


def make_keys(path: Path, draw: Draw) -> Keys:
    """Make the vault's key file unless it is there, and return its keys."""
    return _keys(path, keys.make(path, lambda: draw(2 * KEY_BYTES)))


def load_keys(path: Path) -> Keys:
    """Return the keys in the file; refuse when it is missing or others may read it."""
    return _keys(path, keys.load(path))


def _keys(path: Path, content: bytes) -> Keys:
    if len(content) != 2 * KEY_BYTES:
        raise Unavailable(T("The key file {path} does not hold vault keys.", path=str(path)))
    return Keys(content[:KEY_BYTES], Signer(NAME, content[KEY_BYTES:]))


def wrap(wrapping: bytes, context: Context, data_key: bytes, nonce: bytes) -> bytes:
    """Return the data key as it may be stored."""
    return nonce + AESGCM(wrapping).encrypt(nonce, data_key, _bytes(context))


def unwrap(wrapping: bytes, context: Context, wrapped: bytes) -> bytes:
    nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
    return AESGCM(wrapping).decrypt(nonce, sealed, _bytes(context))


def seal(data_key: bytes, context: Context, content: bytes, nonce: bytes) -> bytes:
    bound = _bytes(context)
    return AESGCM(_derived(data_key, bound)).encrypt(nonce, content, bound)


def unseal(data_key: bytes, context: Context, sealed: bytes, nonce: bytes) -> bytes:
    """Return the content; raise InvalidTag when key, context or bytes are not those sealed."""
    bound = _bytes(context)
    return AESGCM(_derived(data_key, bound)).decrypt(nonce, sealed, bound)


def seal_arm(data_key: bytes, context: Context, arm: Arm, salt: bytes, nonce: bytes) -> bytes:
    """Seal an arm with its salt, padded so that every arm's ciphertext is equally long."""
    content = canonical({"arm": arm.opened(), "salt": salt.hex()}).encode()
    if len(content) >= PADDED:
        raise ValueError("the id of an arm is too long")
    return seal(data_key, context, content.ljust(PADDED), nonce)


def unseal_arm(
    data_key: bytes, context: Context, sealed: bytes, nonce: bytes
) -> tuple[Arm, bytes]:
    content = json.loads(unseal(data_key, context, sealed, nonce))
    return Arm(content["arm"]), bytes.fromhex(content["salt"])


def _derived(data_key: bytes, info: bytes) -> bytes:
    """A data key is uniformly random already, so the extract step of HKDF is not needed."""
    return HKDFExpand(SHA256(), KEY_BYTES, info).derive(data_key)


def _bytes(context: Context) -> bytes:
    return canonical(list(context)).encode()
