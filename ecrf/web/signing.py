"""Sign a visit, a milestone or a casebook: one page that lists exactly what will be signed."""

from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel import reauthentication
from ecrf.kernel.access import TITLES, Right, Role
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.people import GrantRow, Person
from ecrf.kernel.text import T
from ecrf.web import pin, where
from ecrf.web.routes import Again, Pages
from forms.review import bulk, occasions
from forms.review.occasions import Occasion
from visits import lookup

pages = Pages("signing", __name__)
PAGE = "/<study_id>/participants/<code>/sign"


class Delegate(NamedTuple):
    """Somebody who may sign at a site, and from when to when."""

    name: str
    role: str
    starts_at: object
    ends_at: object


@pages.page(PAGE, needs=Right.ENTRY_SIGN)
def show(study_id: str, code: str) -> ResponseReturnValue:
    return _page(study_id, code)


@pages.page(PAGE, needs=Right.ENTRY_SIGN, methods=("POST",))
def sign(study_id: str, code: str) -> ResponseReturnValue:
    """Sign all that the page listed, after one re-authentication."""
    sent = request.form
    who = lookup.participant(g.session, g.actor, study_id, code, Right.ENTRY_SIGN)
    occasion = _occasion(study_id)
    try:
        reauthentication.confirm(
            g.session, g.by, g.present, sent.get("username", ""), sent.get("password", ""),
            pin.given(where.in_force(study_id, Right.ENTRY_SIGN).study),
        )  # fmt: skip
        bulk.sign(g.session, g.by, study_id, code, occasion, _seen(), who.zone)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, code, wrong)) from None
    query = "&".join(f"{name}={sent[name]}" for name in ("visit", "milestone") if name in sent)
    return redirect(f"{where.participant(study_id, code)}/sign?{query}&done=1", 303)


def _page(study_id: str, code: str, refusal: Refused | None = None) -> str:
    study = where.in_force(study_id, Right.ENTRY_SIGN).study
    occasion = _occasion(study_id)
    batch = bulk.gather(g.session, g.actor, study_id, code, occasion)
    visits = lookup.visits(g.session, batch.who.id)
    return render_template(
        "sign_many.html", study=study, batch=batch, who=batch.who, refusal=refusal,
        milestones=list(occasions.milestones(study)),
        visits=[visit for visit in visits if visit.held_on or visit.kind == "log"],
        means=reauthentication.means(g.session, g.present, pin=study.signing.pin),
        chosen={"visit": _asked("visit"), "milestone": _asked("milestone")},
        delegates=_delegates(study_id, batch.who.site), titles=TITLES,
    )  # fmt: skip


def _asked(name: str) -> str:
    return request.values.get(name, "").strip()


def _occasion(study_id: str) -> Occasion:
    study = where.in_force(study_id, Right.ENTRY_SIGN).study
    found = occasions.named(study, _asked("visit"), _asked("milestone"))
    if found is None:
        raise NotFound(T("The study has no such milestone."))
    return found


def _seen() -> dict[int, int]:
    """Return what the page listed: the version of every entry, as it was sent back."""
    found = {}
    for each in request.form.getlist("entry"):
        entry, _, version = each.partition(":")
        if entry.isdecimal() and version.isdecimal() and len(each) < 24:
            found[int(entry)] = int(version)
    return found


def _delegates(study_id: str, site: str) -> list[Delegate]:
    """Return who may sign at the site: investigators, and those they delegated it to."""
    rows = g.session.execute(
        select(Person.name, GrantRow.role, GrantRow.starts_at, GrantRow.ends_at)
        .join(GrantRow, GrantRow.person_id == Person.id)
        .where(
            GrantRow.study == study_id,
            GrantRow.role.in_((Role.INVESTIGATOR, Role.DELEGATE)),
            (GrantRow.site == site) | GrantRow.site.is_(None),
        )
        .order_by(GrantRow.starts_at, GrantRow.id)
    )
    return [Delegate(*row) for row in rows]
