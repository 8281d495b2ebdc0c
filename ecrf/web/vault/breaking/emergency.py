"""The code break from the vault alone: for the night when the main database does not answer.

Nobody is signed in here: user name and password are typed with the last step, and checked
against the vault's own copy. No session begins, and nothing but this one answer is given.
"""

from collections.abc import Callable

from flask import current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.text import Text
from ecrf.study.model import Words
from ecrf.web.routes import Pages
from ecrf.web.services import services
from ecrf.web.vault.breaking import apart, steps
from ecrf.web.vault.supply.room import EXTENSION
from randomization.api import Vault
from randomization.breaking import api

pages = Pages("vault_emergency", __name__)
PAGE = "/vault/code-break/emergency"


@pages.apart(PAGE)
def begin() -> ResponseReturnValue:
    """Begin, unless the main database answers: then the usual way is the right one."""
    if apart.answers(services().database):
        return redirect("/vault/code-break")
    return show(1, None)


@pages.apart(PAGE, methods=("POST",))
def go_on() -> ResponseReturnValue:
    if apart.answers(services().database):
        return redirect("/vault/code-break", 303)
    now = steps.step()
    try:
        return _TAKE[now]()
    except Refused as refusal:
        return make_response(show(now, refusal), refusal.status)


def show(step: int, refusal: Refused | None) -> str:
    """Draw a step with what was typed, and how old the vault's copy is."""
    known = api.studies(_vault())
    asked = request.form.get("study", "")
    study = asked if asked in known else next(iter(known), "")
    return render_template(
        "vault/code_break.html", apart=True, action=PAGE, step=step, refusal=refusal,
        sent=request.form, studies=sorted(known), chosen=study, as_of=known.get(study),
        reasons=api.REASONS, ref=steps.reference(services().draw), sent_to=None, pad=True,
    )  # fmt: skip


def _who() -> ResponseReturnValue:
    steps.code()
    return show(2, None)


def _why() -> ResponseReturnValue:
    steps.code()
    steps.reason(api.REASONS, _words(), sent=False)
    return show(3, None)


def _do() -> ResponseReturnValue:
    """Check everything, write it down in the vault, show it once."""
    study, code = request.form.get("study", ""), steps.code()
    why, reason, call = steps.reason(api.REASONS, _words(), sent=False)
    steps.confirmed(code)
    nobody = By(NOBODY, services().clock(), Origin.PAGE, services().draw)
    by, copy = api.identify(
        _vault(), nobody, study, request.form.get("username", ""),
        request.form.get("password", ""),
    )  # fmt: skip
    told = api.Call(call.ref, "emergency", call.contacted, call.telephone)
    found = api.emergency_break(_vault(), by, study, code, why, reason, told, copy.answer_to)
    names = [one.name for one in copy.holders if _receives(one, study, copy.answer_to, by)]
    return render_template(
        "vault/broken.html", apart=True, code=code, found=found, why=api.REASONS[why],
        reason=reason, arm=None if found is None else _arm(copy, found), by=by,
        sent_to=copy.answer_to, receivers=names, call=told, study_id=study,
    )  # fmt: skip


_TAKE: dict[int, Callable[[], ResponseReturnValue]] = {1: _who, 2: _why, 3: _do}


def _receives(one: api.Holder, study: str, role: str, by: By) -> bool:
    return any(grant.role == role for grant in one.actor(study, by.at).grants)


def _words() -> tuple[str, ...]:
    found = api.read(_vault(), request.form.get("study", ""))
    return found.copy.words if found else ()


def _arm(copy: api.Copy, found: api.Disclosure) -> Text:
    """Return the treatment's name from the vault's own copy."""
    opened = found.arm.opened()
    label = copy.arms.get(opened, {"en": "", "zh": ""})
    en, zh = f"{opened}: {label['en']}", f"{opened}：{label['zh']}"
    return Words(en=en.removesuffix(": "), zh=zh.removesuffix("："))


def _vault() -> Vault:
    vault: Vault = current_app.extensions[EXTENSION]
    return vault
