"""Escrow: the vault's key file in three shares, of which any two give it back.

Shares are Shamir's over the words of SLIP-39, so that they can be printed, read out and typed
again; a single share tells nothing. Each goes to a different house: the sponsor's quality
assurance, the institution of the principal investigator, the statistician. The library draws
the coefficients of the shares itself.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shamir_mnemonic import MnemonicError
from shamir_mnemonic.shamir import combine_mnemonics, generate_mnemonics

from ecrf.kernel import keys
from ecrf.kernel.errors import Conflict, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import seal
from randomization.opened import Vault, lock
from randomization.tables import LEDGER

HOLDERS = 3
NEEDED = 2
PASSPHRASE = b""
FEWEST_ROUNDS = 0
TAG = b"ecrf-escrow-1"


class Share(NamedTuple):
    """One holder's share: the words, and the check value that all shares of a key have."""

    holder: str
    words: str
    check: str


def split(vault: Vault, by: By, study: str, path: Path, holders: Sequence[str]) -> list[Share]:
    """Write down that the key is shared out, and to whom; then return the shares.

    Each call makes new shares: shares of two calls do not fit together.
    """
    if len({holder.strip() for holder in holders} - {""}) != HOLDERS or len(holders) != HOLDERS:
        raise Unacceptable(T("Name {n} different holders, one for each share.", n=HOLDERS))
    content = keys.load(path)
    if seal.load_keys(path) != vault.keys:
        raise Conflict(T("The key file is not the one this vault was opened with."))
    check = check_value(content)
    refs = {"holders": list(holders), "needed": NEEDED, "check": check}
    act = Act("escrow:split", None, study, refs=refs)
    with vault.database.write() as session:
        LEDGER.write(session, by, [(lock(session, study), act)])
    (made,) = generate_mnemonics(
        1, [(NEEDED, HOLDERS)], content, PASSPHRASE, iteration_exponent=FEWEST_ROUNDS
    )
    return [Share(holder, words, check) for holder, words in zip(holders, made, strict=True)]


def recover(words: Sequence[str]) -> bytes:
    """Return what the key file held, from the words of any two shares."""
    tidy = [" ".join(share.lower().split()) for share in words]
    try:
        return bytes(combine_mnemonics(tidy, PASSPHRASE))
    except (MnemonicError, ValueError) as wrong:
        raise Unacceptable(
            T("These words do not give the key: {why}", why=str(wrong))
        ) from None


def restore(path: Path, content: bytes) -> str:
    """Write a recovered key to a new file; return its check value."""
    if path.exists():
        raise Conflict(T("{path} is there already. Name a new file.", path=str(path)))
    keys.make(path, lambda: content)
    seal.load_keys(path)
    return check_value(content)


def check_value(content: bytes) -> str:
    """Return eight signs that tell this key from others, and nothing about it."""
    return hashlib.sha256(TAG + content).hexdigest()[:8]
