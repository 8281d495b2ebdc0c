"""People and their roles in a study, for administrators."""

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select

from ecrf.kernel import accounts, addresses
from ecrf.kernel.access import TITLES, Grant, Right, Role
from ecrf.kernel.errors import NotAllowed, NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.people import GrantRow, Person, SignIn, Site
from ecrf.kernel.text import T
from ecrf.web.routes import Again, Pages

pages = Pages("people", __name__)


@pages.page("/<study_id>/people", needs=Right.ACCOUNT_MANAGE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page("/<study_id>/people", needs=Right.ACCOUNT_MANAGE, methods=("POST",))
def add(study_id: str) -> ResponseReturnValue:
    _require(study_id)
    sent = request.form
    try:
        grant = _grant(study_id)
        reason = _reason()
        person_id = accounts.add(
            g.session, g.by, sent.get("username", "").strip(), sent.get("name", "").strip(),
            sent.get("password", ""),
        )  # fmt: skip
        accounts.give(g.session, g.by, person_id, grant, reason)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/people?done=1", 303)


@pages.page("/<study_id>/people/roles", needs=Right.ACCOUNT_MANAGE, methods=("POST",))
def give(study_id: str) -> ResponseReturnValue:
    """Give a role to somebody who has an account already, named by the user name."""
    _require(study_id)
    try:
        grant, reason = _grant(study_id), _reason()
        who = accounts.actor(g.session, request.form.get("username", "").strip(), g.by.at)
        accounts.give(g.session, g.by, who.id, grant, reason)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/people?done=1", 303)


@pages.page("/<study_id>/people/email", needs=Right.ACCOUNT_MANAGE, methods=("POST",))
def email(study_id: str) -> ResponseReturnValue:
    """Say where notices for a person of the study go."""
    _require(study_id)
    try:
        who = accounts.actor(g.session, request.form.get("username", "").strip(), g.by.at)
        if study_id not in who.studies:
            raise NotFound(T("There is no such person in this study."))
        addresses.set_email(g.session, g.by, who.id, request.form.get("email", ""), _reason())
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/people?done=1", 303)


@pages.page("/<study_id>/people/<int:person_id>", needs=Right.ACCOUNT_MANAGE, methods=("POST",))
def change(study_id: str, person_id: int) -> ResponseReturnValue:
    _require(study_id)
    act = accounts.end if request.form.get("act") == "end" else accounts.give
    try:
        act(g.session, g.by, person_id, _grant(study_id), _reason())
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/people?done=1", 303)


def _require(study_id: str) -> None:
    if not g.actor.may(Right.ACCOUNT_MANAGE, study_id):
        raise NotAllowed(T("Your role does not include this page."))


def _grant(study_id: str) -> Grant:
    role, site = request.form.get("role", ""), request.form.get("site") or None
    if role not in set(Role):
        wrong = T("Choose a role from the list.")
        raise Unacceptable(wrong, [Problem("role", wrong)])
    if site is not None:
        accounts.require_sites(g.session, study_id, [site])
    return Grant(study_id, Role(role), site)


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not reason:
        wrong = T("Say why the role is given or ended.")
        raise Unacceptable(wrong, [Problem("reason", wrong)])
    return reason


def _page(study_id: str, refusal: Refused | None) -> str:
    _require(study_id)
    return render_template(
        "people.html",
        refusal=refusal,
        sent=request.form,
        rows=_rows(study_id),
        roles=list(Role),
        titles=TITLES,
        sites=g.session.execute(
            select(Site.code, Site.name_en, Site.name_zh)
            .where(Site.study == study_id)
            .order_by(Site.code)
        ).all(),
    )


def _rows(study_id: str) -> list[Row[tuple[int, str, str, str | None, str]]]:
    """Return every grant in the study, ended ones too, with the person's last sign-in."""
    last = (
        select(SignIn.started_at)
        .where(SignIn.person_id == Person.id)
        .order_by(SignIn.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return list(
        g.session.execute(
            select(
                Person.id, Person.username, Person.name, Person.email, GrantRow.role,
                GrantRow.site, GrantRow.starts_at, GrantRow.ends_at, last.label("last_sign_in"),
            )
            .join(GrantRow, GrantRow.person_id == Person.id)
            .where(GrantRow.study == study_id)
            .order_by(Person.username, GrantRow.id)
        )
    )  # fmt: skip
