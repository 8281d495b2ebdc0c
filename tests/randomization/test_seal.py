"""Sealing: nothing opens under another key or in another place, and all arms look alike."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ecrf.kernel.chain import canonical
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Unavailable
from randomization import seal
from randomization.arm import Arm

KEY = bytes(range(32))
NONCE = bytes(12)
PLACE = ("slot", "study", "test", 1, "id", "stratum", 7)


def test_an_arm_comes_back_with_its_salt():
    sealed = seal.seal_arm(KEY, PLACE, Arm("MMF"), b"s" * 16, NONCE)
    assert seal.unseal_arm(KEY, PLACE, sealed, NONCE) == (Arm("MMF"), b"s" * 16)


def test_the_ciphertext_is_the_one_of_the_libraries_own_parts():
    """HKDF-Expand over the canonical context, and canonical JSON in AES-GCM, padded."""
    place = ("slot", "étude", "test", 1, "id", 'a "b"\\\n中', 7)
    bound = canonical(list(place)).encode()
    content = canonical({"arm": 'M"é', "salt": (b"s" * 16).hex()}).encode()
    cipher = AESGCM(HKDFExpand(SHA256(), seal.KEY_BYTES, bound).derive(KEY))
    expected = cipher.encrypt(NONCE, content.ljust(seal.PADDED), bound)
    assert seal.seal_arm(KEY, place, Arm('M"é'), b"s" * 16, NONCE) == expected


def test_many_arms_are_sealed_and_opened_as_each_alone():
    arms = [(("kit", n), Arm("AB"[n % 2]), bytes([n]) * 16, bytes([n]) * 12) for n in range(9)]
    sealed = list(seal.seal_arms(KEY, arms))
    assert sealed == [seal.seal_arm(KEY, *arm) for arm in arms]
    closed = [(arm[0], one, arm[3]) for arm, one in zip(arms, sealed, strict=True)]
    assert list(seal.unseal_arms(KEY, closed)) == [arm[1:3] for arm in arms]
    moved = [(closed[1][0], *closed[0][1:])]
    with pytest.raises(InvalidTag):
        list(seal.unseal_arms(KEY, closed + moved))


@pytest.mark.parametrize("at", range(len(PLACE)))
def test_a_ciphertext_opens_in_no_other_place(at):
    sealed = seal.seal_arm(KEY, PLACE, Arm("MMF"), bytes(16), NONCE)
    other = tuple(8 if n == at else part for n, part in enumerate(PLACE))
    with pytest.raises(InvalidTag):
        seal.unseal_arm(KEY, other, sealed, NONCE)


def test_a_ciphertext_opens_under_no_other_key_nonce_or_byte():
    sealed = seal.seal_arm(KEY, PLACE, Arm("MMF"), bytes(16), NONCE)
    changed = bytes([sealed[0] ^ 1]) + sealed[1:]
    for key, nonce, content in (
        (bytes(32), NONCE, sealed), (KEY, b"n" * 12, sealed), (KEY, NONCE, changed),
    ):  # fmt: skip
        with pytest.raises(InvalidTag):
            seal.unseal_arm(key, PLACE, content, nonce)


def test_a_long_and_a_short_arm_are_equally_long():
    lengths = {
        len(seal.seal_arm(KEY, PLACE, Arm(name), bytes(16), NONCE))
        for name in ("P", "MMF", "A" * 40)
    }
    assert lengths == {seal.PADDED + 16}
    with pytest.raises(ValueError, match="too long"):
        seal.seal_arm(KEY, PLACE, Arm("A" * 128), bytes(16), NONCE)


def test_a_data_key_is_kept_wrapped():
    wrapped = seal.wrap(KEY, ("list key", "study"), b"d" * 32, NONCE)
    assert b"dddd" not in wrapped
    assert seal.unwrap(KEY, ("list key", "study"), wrapped) == b"d" * 32
    with pytest.raises(InvalidTag):
        seal.unwrap(KEY, ("list key", "other"), wrapped)


def test_the_key_file_is_made_once_and_read_by_its_owner_alone(tmp_path):
    path = tmp_path / "vault" / "vault.key"
    made = seal.make_keys(path, Seeded(b"one"))
    assert seal.make_keys(path, Seeded(b"two")) == made == seal.load_keys(path)
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    with pytest.raises(Unavailable, match="may be read by others"):
        seal.load_keys(path)


def test_a_file_that_holds_something_else_is_refused(tmp_path):
    from ecrf.kernel import keys

    keys.make(tmp_path / "other.key", lambda: bytes(32))
    with pytest.raises(Unavailable, match="does not hold vault keys"):
        seal.load_keys(tmp_path / "other.key")
    with pytest.raises(Unavailable, match="is missing"):
        seal.load_keys(tmp_path / "none.key")
