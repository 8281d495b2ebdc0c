"""Key files: made once, read by their owner alone (mode 0600), never in a database.

The signing key is Ed25519 and signs checkpoints as C2SP signed notes do: the first four bytes
of `SHA256(name || LF || 0x01 || public key)` tell keys apart, and `name+id+base64` is the
public half as text, to be handed to whoever checks.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ecrf.kernel.errors import Unavailable
from ecrf.kernel.text import T

SIGNING_NAME = "ecrf"
SEED_BYTES = 32
ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a signing key, under the name notes are signed with."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        text = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(text).digest()[:4]

    def text(self) -> str:
        """Return the key as one line, the form C2SP signed notes use."""
        coded = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{coded}"

    def accepts(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key that signs; it never shows itself."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, _public(self.seed))

    def sign(self, message: bytes) -> bytes:
        return _private(self.seed).sign(message)


@lru_cache(maxsize=8)
def _private(seed: bytes) -> Ed25519PrivateKey:
    """Making the key costs more than signing with it."""
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=8)
def _public(seed: bytes) -> bytes:
    return _private(seed).public_key().public_bytes_raw()


def make(path: Path, content: Callable[[], bytes]) -> bytes:
    """Write what `content` gives to a new file only its owner may read; keep an old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load(path)
    made = content()
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(made) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return made


def readable(path: Path) -> bool:
    """Say whether this process may read the file, also where it may not even look."""
    return os.access(path, os.R_OK)


def load(path: Path) -> bytes:
    """Return the key in the file; refuse when it is missing or others may read it."""
    return _load(path, 0o077, "600")


def load_shared(path: Path) -> bytes:
    """Return a secret that two users of one group hold; refuse when others may read it."""
    return _load(path, 0o037, "640")


def _load(path: Path, others: int, wanted: str) -> bytes:
    try:
        if not path.is_file():
            raise Unavailable(
                T("The key file {path} is missing; `ecrf init` makes it.", path=str(path))
            )
        if path.stat().st_mode & others:
            raise Unavailable(
                T("The key file {path} may be read by others; chmod {mode} it.",
                  path=str(path), mode=wanted)
            )  # fmt: skip
        return base64.b64decode(path.read_bytes(), validate=False)
    except PermissionError:
        raise Unavailable(
            T("The key file {path} may not be read by this user.", path=str(path))
        ) from None


def signer(path: Path, name: str = SIGNING_NAME) -> Signer:
    """Return the signing key kept in the file."""
    seed = load(path)
    if len(seed) != SEED_BYTES:
        raise Unavailable(T("The key file {path} does not hold a signing key.", path=str(path)))
    return Signer(name, seed)


def verifier(text: str) -> Verifier:
    """Return the public key written as `name+id+base64`; ValueError when it is not one."""
    name, key_id, coded = text.strip().split("+", 2)
    raw = base64.b64decode(coded, validate=True)
    found = Verifier(name, raw[1:])
    if raw[:1] != ED25519 or len(raw) != 1 + SEED_BYTES or found.key_id.hex() != key_id:
        raise ValueError("this is no Ed25519 key of a signed note")
    return found
