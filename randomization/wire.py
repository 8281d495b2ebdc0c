"""The four questions and their answers as bytes, for a vault in a process of its own.

A question carries who asks, with the grants in force, as the blinded side states them. Every
answer of every question, a refusal too, is one document of exactly `SIZE` bytes. Questions and
answers are signed under a secret both processes hold; an answer is bound to its question.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from ecrf.kernel import errors
from ecrf.kernel.access import Actor
from ecrf.kernel.chain import canonical, stamp
from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Problem, Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.text import LOCALES, Text
from randomization.asking import Answers, Checked, KitNumber, Receipt, Request, Visit

SIZE = 8192
LONGEST_QUESTION = 64 * 1024
NONCE_BYTES = 16
PREFIX = "/ask/"
ASK, ANSWER = "ecrf ask", "ecrf answer"


@dataclass(frozen=True, slots=True)
class Assigning:
    """Kits asked for a visit: how many, and until when they must be usable."""

    visit: Visit
    count: int
    usable_until: date


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and by which way, as the blinded side states it."""

    actor: Actor
    origin: Origin

    def by(self, at: datetime, draw: Draw) -> By:
        return By(self.actor, at, self.origin, draw)


class Verb(NamedTuple):
    """One question: what is sent, what comes back, and how the vault is asked it."""

    question: TypeAdapter[Any]
    answer: TypeAdapter[Any]
    put: Callable[[Answers, By, Any], object]


VERBS: Mapping[str, Verb] = {
    "randomize": Verb(
        TypeAdapter(Request), TypeAdapter(Receipt),
        lambda to, by, asked: to.randomize(by, asked),
    ),
    "assign-kits": Verb(
        TypeAdapter(Assigning), TypeAdapter(tuple[str, ...]),
        lambda to, by, asked: to.assign_kits(by, asked.visit, asked.count, asked.usable_until),
    ),
    "release-kits": Verb(
        TypeAdapter(Visit), TypeAdapter(tuple[KitNumber, ...]),
        lambda to, by, asked: to.release_kits(by, asked),
    ),
    "verify": Verb(
        TypeAdapter(str), TypeAdapter(Checked), lambda to, by, asked: to.verify(by, asked)
    ),
}  # fmt: skip
ASKER = TypeAdapter(Asker)
KINDS: Mapping[str, type[Refused]] = {
    kind.__name__: kind
    for kind in (
        errors.Conflict, errors.NotAllowed, errors.NotFound, errors.Unacceptable,
        errors.Unavailable,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A text as it came over the line, in each language."""

    said: Mapping[str, str]

    def in_(self, locale: str) -> str:
        return self.said[locale]


class TooLong(ValueError):
    """An answer does not fit into the one size; nothing of it is sent."""


def question(verb: str, by: By, asked: object) -> bytes:
    asker = ASKER.dump_python(Asker(by.actor, by.origin), mode="json")
    thing = VERBS[verb].question.dump_python(asked, mode="json")
    return json.dumps({"asker": asker, "asked": thing}).encode()


def read_question(verb: str, body: bytes) -> tuple[Asker, Any]:
    """Return who asks and what; ValueError when the bytes are no such question."""
    whole = _whole(body, {"asker", "asked"})
    asked = VERBS[verb].question.validate_json(json.dumps(whole["asked"]), strict=True)
    return ASKER.validate_json(json.dumps(whole["asker"]), strict=True), asked


def answer(verb: str, given: object) -> bytes:
    return _padded({"answer": VERBS[verb].answer.dump_python(given, mode="json")})


def refusal(refused: Refused) -> bytes:
    """Return a refusal as an answer; only kinds that are known are sent as themselves."""
    kind = next(name for name, known in KINDS.items() if isinstance(refused, known))
    problems = [[problem.item, _said(problem.message)] for problem in refused.problems]
    said = {"kind": kind, "message": _said(refused.message), "problems": problems}
    return _padded({"refused": said})


def read_answer(verb: str, body: bytes) -> Any:
    """Return the answer, or raise the refusal; ValueError when the bytes are neither."""
    if len(body) != SIZE:
        raise ValueError("an answer has one size")
    whole: dict[str, Any] = json.loads(body)
    if "refused" in whole:
        raise _refused(whole["refused"])
    return VERBS[verb].answer.validate_json(json.dumps(whole["answer"]), strict=True)


def signature(secret: bytes, purpose: str, *parts: str | bytes) -> str:
    """Return the HMAC-SHA-256 over what the parts are, each bound by its place."""
    digests = [hashlib.sha256(_bytes(part)).hexdigest() for part in parts]
    return hmac.new(secret, canonical([purpose, *digests]).encode(), hashlib.sha256).hexdigest()


def signed_question(
    secret: bytes, verb: str, at: datetime, nonce: str, body: bytes
) -> dict[str, str]:
    """Return the headers of a question: when it was asked, its nonce, the signature."""
    moment = stamp(at)
    over = signature(secret, ASK, "POST", PREFIX + verb, moment, nonce, body)
    return {"ECRF-Time": moment, "ECRF-Nonce": nonce, "ECRF-Signature": over}


def same(one: str, other: str) -> bool:
    """Compare two signatures in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part


def _whole(body: bytes, names: set[str]) -> dict[str, Any]:
    whole = json.loads(body)
    if not isinstance(whole, dict) or set(whole) != names:
        raise ValueError("this is no question")
    return whole


def _padded(content: Mapping[str, object]) -> bytes:
    body = json.dumps(content, ensure_ascii=False).encode()
    if len(body) > SIZE:
        raise TooLong
    return body.ljust(SIZE)


def _said(text: Text) -> dict[str, str]:
    return {locale: text.in_(locale) for locale in LOCALES}


def _refused(said: Mapping[str, Any]) -> Refused:
    kind, message = KINDS[said["kind"]], Said(said["message"])
    return kind(message, [Problem(item, Said(text)) for item, text in said["problems"]])
