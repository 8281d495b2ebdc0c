"""A line to the vault in its own process. Whatever goes wrong on it is the one refusal.

Nothing is tried twice here: the person asks again, and the vault says again what it said.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from http.client import HTTPConnection, HTTPException
from logging import getLogger
from typing import Any

from ecrf.kernel import keys
from ecrf.kernel.chance import Draw
from ecrf.kernel.config import Config
from ecrf.kernel.ledger import By
from ecrf.web import vault_address
from ecrf.web.vault_address import Address
from randomization import wire
from randomization.asking import (
    REFERENCE_BYTES,
    Checked,
    KitNumber,
    Receipt,
    Request,
    Visit,
    unavailable,
)

PATIENCE = 10.0
LONG_PATIENCE = 120.0
_LOG = getLogger("ecrf")


class Broken(Exception):
    """What came back is no answer of the vault."""


@dataclass(frozen=True, slots=True)
class Line:
    """Asks the vault over its address; believes only what carries the shared secret's mark.

    `patience` is how many seconds are waited: whoever asks holds the participant's lock.
    """

    address: Address
    secret: bytes = field(repr=False)
    clock: Callable[[], datetime]
    draw: Draw
    patience: float = PATIENCE

    def randomize(self, by: By, asked: Request) -> Receipt:
        receipt: Receipt = self._ask("randomize", by, asked)
        return receipt

    def assign_kits(
        self, by: By, visit: Visit, count: int, usable_until: date
    ) -> tuple[str, ...]:
        numbers: tuple[str, ...] = self._ask(
            "assign-kits", by, wire.Assigning(visit, count, usable_until)
        )
        return numbers

    def release_kits(self, by: By, visit: Visit) -> tuple[KitNumber, ...]:
        kits: tuple[KitNumber, ...] = self._ask("release-kits", by, visit)
        return kits

    def verify(self, by: By, study: str) -> Checked:
        """Checking makes every list again, so it may take its time."""
        found: Checked = self._ask("verify", by, study, LONG_PATIENCE)
        return found

    def _ask(self, verb: str, by: By, asked: object, patience: float | None = None) -> Any:
        body = wire.question(verb, by, asked)
        try:
            return wire.read_answer(verb, self._sent(verb, body, patience or self.patience))
        except (OSError, HTTPException, ValueError, KeyError, Broken) as failure:
            reference = by.draw(REFERENCE_BYTES).hex()
            _LOG.error(
                "the vault does not answer: %s, reference %s", type(failure).__name__, reference
            )
            raise unavailable(reference) from None

    def _sent(self, verb: str, body: bytes, patience: float) -> bytes:
        """Send the question; return the bytes of an answer that is the vault's, and to it."""
        nonce = self.draw(wire.NONCE_BYTES).hex()
        headers = wire.signed_question(self.secret, verb, self.clock(), nonce, body)
        connection = _connection(self.address, patience)
        try:
            connection.request("POST", wire.PREFIX + verb, body, headers)
            response = connection.getresponse()
            content = response.read(wire.SIZE + 1)
        finally:
            connection.close()
        wanted = wire.signature(self.secret, wire.ANSWER, nonce, content)
        if not wire.same(wanted, response.headers.get("ECRF-Signature", "")):
            raise Broken
        return content


class _OverSocket(HTTPConnection):
    """HTTP through a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(address: Address, patience: float) -> HTTPConnection:
    if address.path is not None:
        return _OverSocket(address.path, patience)
    return HTTPConnection(address.host, address.port, timeout=patience)


def line(config: Config, clock: Callable[[], datetime], draw: Draw) -> Line:
    """Return the line of the settings; ValueError or Unavailable when it cannot be one."""
    address = vault_address.read(config.vault_address)
    return Line(address, keys.load_shared(config.secret_file), clock, draw)
