"""The only way to make a page: a blueprint whose every route states the right it needs.

A page runs in one transaction: reading for GET and HEAD, and for a POST that says it only
reads; writing for the rest. What a reading page leaves to be written (`leave`) is one small
transaction after it, so that nobody who saves waits for somebody who looks. The right is tested
here for holding it at all; the site is tested where the thing is loaded, so that what lies at
another site is simply not found.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ecrf.kernel import accounts, pins
from ecrf.kernel.access import Right
from ecrf.kernel.accounts import NOBODY, Present, WrongPassword
from ecrf.kernel.db import Database
from ecrf.kernel.errors import NotAllowed, Refused, SignInNeeded
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.text import T
from ecrf.web.services import services

View = Callable[..., ResponseReturnValue]
COOKIE = "ecrf_session"


class Open:
    """What a page may ask for instead of a right."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    APART = "apart"
    """Without the main database: nobody is signed in, whoever asks says who they are."""


class Again(Exception):
    """The request was refused: undo everything, then show this page with what was typed."""

    def __init__(
        self,
        refusal: Refused,
        render: Callable[[], ResponseReturnValue],
        keep: Callable[[Session], None] | None = None,
    ) -> None:
        """`keep` writes what is not to be lost with the rest, in a transaction of its own."""
        super().__init__(str(refusal))
        self.refusal = refusal
        self.render = render
        self.keep = keep


class Pages(Blueprint):
    """A blueprint whose pages cannot be registered without saying what they need."""

    def page(
        self,
        rule: str,
        *,
        needs: Right | str,
        methods: tuple[str, ...] = ("GET",),
        reads: bool = False,
    ) -> Callable[[View], View]:
        """Route `rule` to a view run as `g.by` in the transaction `g.session`.

        `reads` says of a POST that it changes nothing and takes no lock for writing.
        """

        def register(view: View) -> View:
            @wraps(view)
            def guarded(**values: Any) -> ResponseReturnValue:
                return _run(view, needs, values, reads=reads)

            guarded.needs = needs  # type: ignore[attr-defined]
            self.add_url_rule(rule, view_func=guarded, methods=list(methods))
            return view

        return register

    def apart(
        self, rule: str, *, methods: tuple[str, ...] = ("GET",)
    ) -> Callable[[View], View]:
        """Route `rule` to a view that runs while the main database does not answer.

        There is no session and no `g.session`; what another web site sends is refused.
        """

        def register(view: View) -> View:
            @wraps(view)
            def guarded(**values: Any) -> ResponseReturnValue:
                if request.method not in ("GET", "HEAD"):
                    _refuse_foreign()
                return view(**values)

            guarded.needs = Open.APART  # type: ignore[attr-defined]
            self.add_url_rule(rule, view_func=guarded, methods=list(methods))
            return view

        return register


def leave(write: Callable[[Session], None]) -> None:
    """Have a page that reads write something small when it is done, in a transaction."""
    g.left = write


def unattended() -> None:
    """Say that the page was asked for by a clock and not by a person: the session ages."""
    g.unattended = True


def _run(
    view: View, needs: Right | str, values: dict[str, Any], *, reads: bool
) -> ResponseReturnValue:
    database = services().database
    reading = reads or request.method in ("GET", "HEAD")
    try:
        with database.read() if reading else database.write() as g.session:
            _admit(needs)
            response = view(**values)
    except WrongPassword as no:
        _note_failure(database, no)
        raise
    except Again as again:
        if isinstance(again.refusal, WrongPassword):
            _note_failure(database, again.refusal)
        if again.keep is not None:
            with database.write() as session:
                again.keep(session)
        with database.read() as g.session:
            return make_response(again.render(), again.refusal.status)
    if reading:
        _afterwards(database)
    return response


def _afterwards(database: Database) -> None:
    write: Callable[[Session], None] | None = g.pop("left", None)
    idle = _idle_noted()
    if write is None and not idle:
        return
    with database.write() as session:
        if write is not None:
            write(session)
        if idle:
            accounts.touch(session, g.present, g.by.at)


def _admit(needs: Right | str) -> None:
    """Find out who asks, and whether they may; sets g.present, g.actor and g.by."""
    at = services().clock()
    g.present = accounts.present(g.session, request.cookies.get(COOKIE), at)
    g.actor = g.present.actor if g.present else NOBODY
    g.by = By(g.actor, at, Origin.PAGE, services().draw)
    sending = request.method not in ("GET", "HEAD")
    if sending:
        _refuse_foreign()
    if needs != Open.PUBLIC and g.present is None:
        raise SignInNeeded(T("Please sign in."))
    if isinstance(needs, Right) and not g.actor.may_anywhere(needs):
        raise NotAllowed(T("Your role does not include this page."))
    if sending:
        _require_token(g.present)


def _refuse_foreign() -> None:
    """Refuse what another web site sends (ASVS 3.5.1), before anything of it is kept.

    It comes without our cookie, so it must not reach the page that holds a form for whoever
    signs in next.
    """
    came_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", "")
    foreign = bool(origin) and urlsplit(origin).netloc != request.host
    if came_from not in ("same-origin", "none") or (
        foreign and "Sec-Fetch-Site" not in request.headers
    ):
        raise NotAllowed(T("This request came from another web site."))


def _require_token(present: Present | None) -> None:
    """Refuse a form without the token of the session it is sent in."""
    if present and not hmac.compare_digest(request.form.get("csrf", ""), present.csrf):
        raise NotAllowed(T("This page is out of date. Open it again and send the form again."))


def _idle_noted() -> bool:
    present: Present | None = g.get("present")
    if present is None or g.get("unattended"):
        return False
    quiet: timedelta = g.by.at - present.seen_at
    return quiet > accounts.TOUCH


def _note_failure(database: Database, no: WrongPassword) -> None:
    with database.write() as session:
        accounts.note_failure(session, g.by, no.person_id, request.form.get("username", ""))
        if isinstance(no, pins.WrongPin):
            pins.note_failure(session, no)
