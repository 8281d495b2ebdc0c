"""The vault's narrow service: four questions from the blinded process, and nothing else.

It lets in what carries the shared secret's mark, is fresh and was not asked before. Its answers
all have one size and one status; who is not let in gets as many bytes, without a mark.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from logging import getLogger
from threading import Lock
from typing import Any

from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Refused
from randomization import wire
from randomization.asking import REFERENCE_BYTES, Answers, unavailable

FRESH = timedelta(seconds=60)
_LOG = getLogger("ecrf.vault")


class Unknown(Exception):
    """A question is not let in; says why, for the vault's log only."""


@dataclass(frozen=True, slots=True)
class Nonces:
    """The questions of the last minute, so that none is answered to whoever overheard it.

    What was signed before this memory began is refused: it may have been answered.
    """

    since: datetime
    _seen: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def first(self, nonce: str, asked_at: datetime, now: datetime) -> bool:
        """Note a marked question; say whether it is fresh and asked for the first time."""
        if not (abs(now - asked_at) <= FRESH and asked_at >= self.since):
            return False
        with self._lock:
            for old in [key for key, at in self._seen.items() if now - at > 2 * FRESH]:
                del self._seen[old]
            known = nonce in self._seen
            self._seen[nonce] = now
        return not known


class Service:
    """The WSGI app that answers with what `answers` says. The time is the vault's own."""

    def __init__(
        self, answers: Answers, secret: bytes, clock: Callable[[], datetime], draw: Draw
    ) -> None:
        self._answers, self._secret, self._clock, self._draw = answers, secret, clock, draw
        self._nonces = Nonces(clock())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            verb, nonce, body = self._let_in(environ)
        except Unknown as why:
            _LOG.warning("a question was not let in: %s", why)
            return _send(start_response, "401 Unauthorized", b" " * wire.SIZE, "0" * 64)
        content = self._answer(verb, body)
        mark = wire.signature(self._secret, wire.ANSWER, nonce, content)
        return _send(start_response, "200 OK", content, mark)

    def _let_in(self, environ: dict[str, Any]) -> tuple[str, str, bytes]:
        """Return verb, nonce and body of a question with the secret's mark; else Unknown."""
        verb = str(environ.get("PATH_INFO", "")).removeprefix(wire.PREFIX)
        if environ.get("REQUEST_METHOD") != "POST" or verb not in wire.VERBS:
            raise Unknown("no such question")
        body = environ["wsgi.input"].read(wire.LONGEST_QUESTION + 1)
        moment, nonce = environ.get("HTTP_ECRF_TIME", ""), environ.get("HTTP_ECRF_NONCE", "")
        mark = environ.get("HTTP_ECRF_SIGNATURE", "")
        try:
            asked_at = datetime.fromisoformat(moment)
            wanted = wire.signed_question(self._secret, verb, asked_at, nonce, body)
        except ValueError:
            raise Unknown("not dated") from None
        if not wire.same(wanted["ECRF-Signature"], mark):
            raise Unknown("not signed with the secret of ECRF_SECRET_FILE")
        if not self._nonces.first(nonce, asked_at, self._clock()):
            raise Unknown("asked before, or the clocks differ by more than a minute")
        return verb, nonce, body

    def _answer(self, verb: str, body: bytes) -> bytes:
        """Return the answer; whatever is no refusal of the vault becomes the one refusal."""
        try:
            asker, asked = wire.read_question(verb, body)
            by = asker.by(self._clock(), self._draw)
            return wire.answer(verb, wire.VERBS[verb].put(self._answers, by, asked))
        except Refused as refused:
            if isinstance(refused, tuple(wire.KINDS.values())):
                return wire.refusal(refused)
            return self._one_refusal(refused)
        except Exception as failure:  # noqa: BLE001 (a cause must not be told from another)
            return self._one_refusal(failure)

    def _one_refusal(self, failure: Exception) -> bytes:
        """Write down the kind of failure only: what it says may name what it must not."""
        reference = self._draw(REFERENCE_BYTES).hex()
        _LOG.error("unexpected %s, reference %s", type(failure).__name__, reference)
        return wire.refusal(unavailable(reference))


def _send(start_response: Any, status: str, content: bytes, mark: str) -> Iterable[bytes]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(content))),
        ("ECRF-Signature", mark),
    ]
    start_response(status, headers)
    return [content]
