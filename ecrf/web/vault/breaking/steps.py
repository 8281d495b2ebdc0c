"""What the three steps of a code break ask, whether the main database answers or not."""

import re
from collections.abc import Mapping, Sequence

from flask import request

from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import Message, T, Text
from ecrf.study import telling
from randomization.breaking import api

REF = re.compile(r"[0-9a-f]{16}")
LONGEST_TELEPHONE = 40
STEPS = ("1", "2", "3")


def step() -> int:
    """Return the step that was sent."""
    sent = request.form.get("step", "1")
    return int(sent) if sent in STEPS else 1


def code() -> str:
    """Return the participant's code as it was typed."""
    typed = request.form.get("code", "").strip().upper()
    if not typed or len(typed) > LONGEST_TELEPHONE:
        raise wrong("code", T("Type the participant's code."))
    return typed


def reason(
    allowed: Mapping[api.Why, Message], words: Sequence[str], *, sent: bool
) -> tuple[api.Why, str, api.Call]:
    """Return why the code is broken, and how the person can be called back.

    Words of the study's treatments in the text are asked about once; they never block.
    """
    why, text = request.form.get("why", ""), request.form.get("reason", "").strip()
    if why not in allowed:
        raise wrong("why", T("Choose a class of reason."))
    if not text or len(text) > api.LONGEST:
        raise wrong("reason", T("Say why the code is broken."))
    told = telling.named(text, words)
    if told and not request.form.get("reason_seen"):
        raise wrong(
            "reason",
            T(
                "“{word}” names a treatment. Others read this text: describe what happened "
                "without it, or send it as it is.",
                word=told[0],
            ),
        )
    return api.Why(why), text, _call(sent=sent)


def _call(*, sent: bool) -> api.Call:
    telephone = request.form.get("telephone", "").strip()
    if len(telephone) > LONGEST_TELEPHONE:
        raise wrong("telephone", T("At most {n} signs, please.", n=LONGEST_TELEPHONE))
    if sent and not telephone:
        raise wrong(
            "telephone",
            T("The answer goes to somebody else: say where they can call you back."),
        )
    ref = request.form.get("ref", "")
    return api.Call(ref, "page", request.form.get("contacted") == "Y", telephone)


def confirmed(typed_before: str) -> None:
    """Check the second typing of the code, the consequences, and the page's own reference."""
    if request.form.get("again", "").strip().upper() != typed_before:
        raise wrong("again", T("The code you typed is not {code}.", code=typed_before))
    if not request.form.get("understood"):
        raise wrong("understood", T("Say that you have read the consequences."))
    if not REF.fullmatch(request.form.get("ref", "")):
        raise wrong("again", T("This page is incomplete. Begin again."))


def reference(draw: Draw) -> str:
    """Return the reference of the page that will ask: its answer is shown once."""
    sent = request.form.get("ref", "")
    return sent if REF.fullmatch(sent) else draw(api.REF_BYTES).hex()


def wrong(item: str, message: Text) -> Unacceptable:
    return Unacceptable(message, [Problem(item, message)])
