"""The one place that makes randomness. Everything else takes it as an argument."""

import hashlib
import secrets
from collections.abc import Callable

Draw = Callable[[int], bytes]
"""Called with a count, returns that many unpredictable bytes."""


def system(count: int) -> bytes:
    """Return `count` bytes from the operating system."""
    return secrets.token_bytes(count)


class Seeded:
    """A repeatable `Draw`, for the training copy and for tests only."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._block = 0
        self._rest = b""

    def __call__(self, count: int) -> bytes:
        while len(self._rest) < count:
            counter = self._block.to_bytes(8, "big")
            self._rest += hashlib.sha256(self._seed + counter).digest()
            self._block += 1
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken
