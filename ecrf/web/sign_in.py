"""Signing in and out, and the first page: which study."""

from flask import current_app, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import Refused
from ecrf.web import cards, nav
from ecrf.web.routes import COOKIE, Again, Open, Pages
from ecrf.web.services import services

pages = Pages("sign_in", __name__)
HELD = "held:"
VAULT = "/vault/"
NEVER_HELD = ("csrf", "password", "pin", "pin_again")

Held = list[tuple[str, str]]


@pages.page("/", needs=Open.SIGNED_IN)
def home() -> ResponseReturnValue:
    studies = sorted(g.actor.studies)
    if len(studies) == 1:
        return redirect(_first_page(studies[0]))
    return render_template("studies.html", studies=[(s, _first_page(s)) for s in studies])


@pages.page("/sign-in", needs=Open.PUBLIC)
def show() -> ResponseReturnValue:
    return _page(None, request.args.get("next", "/"))


@pages.page("/sign-in", needs=Open.PUBLIC, methods=("POST",))
def submit() -> ResponseReturnValue:
    username, password = request.form.get("username", ""), request.form.get("password", "")
    then = inside(request.form.get("next", "/"))
    try:
        person_id = accounts.check(g.session, username, password, g.by.at)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(wrong, then, username)) from None
    token, csrf = accounts.sign_in(g.session, g.by, person_id)
    held = _held(HELD)
    response = make_response(
        render_template("held.html", then=then, held=held, token=csrf)
        if held else redirect(then, 303)
    )  # fmt: skip
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax",
        secure=services().config.base_url.startswith("https:"),
    )  # fmt: skip
    return response


@pages.page("/sign-out", needs=Open.SIGNED_IN, methods=("POST",))
def leave() -> ResponseReturnValue:
    accounts.sign_out(g.session, g.by, g.present.token_hash)
    response = redirect("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


@pages.page("/still-here", needs=Open.SIGNED_IN)
def still_here() -> ResponseReturnValue:
    """Keep the session of a person who says that they are still there."""
    return "", 204


def ask(refusal: Refused) -> ResponseReturnValue:
    """Show the sign-in page in place of one that needs a session, and come back after.

    A form that was sent when the session had ended is held on the page, without passwords,
    so that nothing typed is lost: it can be sent again after signing in.
    """
    then = request.full_path.rstrip("?")
    held = _held("") if request.method == "POST" else []
    return make_response(_page(refusal, inside(then), held=held), 401)


def _page(
    refusal: Refused | None, then: str, username: str = "", held: Held | None = None
) -> str:
    training = services().config.environment is Environment.TRAINING
    return render_template(
        "sign_in.html", refusal=refusal, then=then, username=username,
        cards=cards.read(services().config.data_dir) if training else [],
        held=_held(HELD) if held is None else held, prefix=HELD,
    )  # fmt: skip


def _held(prefix: str) -> Held:
    """Return the parts of a form that was sent, but for passwords, PINs and its token."""
    return [
        (name.removeprefix(prefix), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(prefix) and name.removeprefix(prefix) not in NEVER_HELD
    ]


def inside(then: str) -> str:
    """Return `then` when it is a path of ours, else the first page."""
    safe = then.startswith("/") and not then.startswith(("//", "/\\"))
    return then if safe and not then.startswith("/sign-") else "/"


def _first_page(study: str) -> str:
    """Return where the person starts: who reads only at the grid, who enters data at Today.

    A vault app in its own process begins with its own pages.
    """
    if "vault" in current_app.blueprints:
        own = [page for page in nav.entries(g.actor, study) if page.path.startswith(VAULT)]
        return own[0].path if own else f"{VAULT}code-break"
    if g.actor.may(Right.PARTICIPANT_READ, study) and not g.actor.may(Right.ENTRY_WRITE, study):
        return f"/{study}/participants"
    found = nav.entries(g.actor, study)
    return found[0].path if found else f"/{study}/about"
