"""HMAC-DRBG with SHA-256 (NIST SP 800-90A, 10.1.2), and fair choices made with it. Pure.

Every choice of a randomization list comes from here, never from `random`: this stream is
specified, so that an inspector can make the same list in any language, decades later.
"""

import hmac
from typing import TypeVar

Thing = TypeVar("Thing")

WORD_BYTES = 4
MOST_BYTES = 1 << 16


class HmacDrbg:
    """The generator: equal inputs give equal streams."""

    def __init__(self, entropy: bytes, nonce: bytes = b"", personal: bytes = b"") -> None:
        if len(entropy) < 32:
            raise ValueError("the generator needs at least 32 bytes of entropy")
        self._key = bytes(32)
        self._value = b"\x01" * 32
        self._update(entropy + nonce + personal)

    def reseed(self, entropy: bytes, additional: bytes = b"") -> None:
        self._update(entropy + additional)

    def generate(self, count: int, additional: bytes = b"") -> bytes:
        """Return the next `count` bytes, at most 65,536 at a time."""
        if not 0 <= count <= MOST_BYTES:
            raise ValueError("ask for 0 to 65,536 bytes")
        if additional:
            self._update(additional)
        made = b""
        while len(made) < count:
            self._value = self._hmac(self._value)
            made += self._value
        self._update(additional)
        return made[:count]

    def below(self, n: int) -> int:
        """Return a fair integer from 0 to n - 1: words of 32 bits, or of as many bytes as n
        needs when that is more; those past the last multiple of n are thrown away.
        """
        if n < 1:
            raise ValueError("n is at least 1")
        width = max(WORD_BYTES, ((n - 1).bit_length() + 7) // 8)
        words = 1 << 8 * width
        limit = words - words % n
        while True:
            word = int.from_bytes(self.generate(width), "big")
            if word < limit:
                return word % n

    def shuffle(self, things: list[Thing]) -> None:
        """Put `things` in a fair order: Fisher and Yates, from the top down."""
        for last in range(len(things) - 1, 0, -1):
            other = self.below(last + 1)
            things[last], things[other] = things[other], things[last]

    def _hmac(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, "sha256")

    def _update(self, given: bytes) -> None:
        self._key = self._hmac(self._value + b"\x00" + given)
        self._value = self._hmac(self._value)
        if given:
            self._key = self._hmac(self._value + b"\x01" + given)
            self._value = self._hmac(self._value)
