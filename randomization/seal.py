"""Sealing: AES-256-GCM under a key of its own for every slot and kit.

The key of a slot is derived (HKDF, RFC 5869) from the data key of its list, which is stored
only wrapped by the key file. What a ciphertext belongs to is both the derivation's info and the
authenticated data, so nothing can be moved to another slot; every arm's ciphertext is equally
long.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from json import JSONDecoder
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecrf.kernel import keys
from ecrf.kernel.chain import quoted
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

_READ = JSONDecoder().raw_decode


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
    return _ciphers(data_key)(bound).encrypt(nonce, content, bound)


def unseal(data_key: bytes, context: Context, sealed: bytes, nonce: bytes) -> bytes:
    """Return the content; raise InvalidTag when key, context or bytes are not those sealed."""
    bound = _bytes(context)
    return _ciphers(data_key)(bound).decrypt(nonce, sealed, bound)


def seal_arm(data_key: bytes, context: Context, arm: Arm, salt: bytes, nonce: bytes) -> bytes:
    return next(seal_arms(data_key, [(context, arm, salt, nonce)]))


def unseal_arm(
    data_key: bytes, context: Context, sealed: bytes, nonce: bytes
) -> tuple[Arm, bytes]:
    return next(unseal_arms(data_key, [(context, sealed, nonce)]))


def seal_arms(
    data_key: bytes, arms: Iterable[tuple[Context, Arm, bytes, bytes]]
) -> Iterator[bytes]:
    """Seal each arm with its salt, under its nonce."""
    cipher = _ciphers(data_key)
    for context, arm, salt, nonce in arms:
        bound = _bytes(context)
        yield cipher(bound).encrypt(nonce, _padded(arm, salt), bound)


def unseal_arms(
    data_key: bytes, sealed: Iterable[tuple[Context, bytes, bytes]]
) -> Iterator[tuple[Arm, bytes]]:
    """Open each ciphertext with its nonce: an arm and its salt, or InvalidTag."""
    cipher = _ciphers(data_key)
    for context, ciphertext, nonce in sealed:
        bound = _bytes(context)
        content, _ = _READ(cipher(bound).decrypt(nonce, ciphertext, bound).decode())
        yield Arm(content["arm"]), bytes.fromhex(content["salt"])


def _padded(arm: Arm, salt: bytes) -> bytes:
    """Return canonical JSON, padded so that every arm's ciphertext is equally long."""
    content = f'{{"arm":{quoted(arm.opened())},"salt":"{salt.hex()}"}}'.encode()
    if len(content) >= PADDED:
        raise ValueError("the id of an arm is too long")
    return content.ljust(PADDED)


def _ciphers(data_key: bytes) -> Callable[[bytes], AESGCM]:
    """Return what makes the cipher of a context; the data key is taken in once for all.

    HKDF-Expand gives 32 bytes by one HMAC. A data key is uniformly random already, so the
    extract step of HKDF is not needed.
    """
    keyed = hmac.new(data_key, digestmod="sha256")

    def cipher(bound: bytes) -> AESGCM:
        derived = keyed.copy()
        derived.update(bound + b"\x01")
        return AESGCM(derived.digest())

    return cipher


def _bytes(context: Context) -> bytes:
    """Return the canonical JSON of the context."""
    parts = [quoted(part) if isinstance(part, str) else str(part) for part in context]
    return f"[{','.join(parts)}]".encode()
