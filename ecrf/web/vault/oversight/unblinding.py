"""The planned unblinding of a locked study: two signatures, then bundle and verifier.

The signers are blinded data managers: their page and their signature show no arm. What was
signed for is handed to the unblinded statistician alone.
"""

from importlib.resources import files
from urllib.parse import quote

from flask import Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault.supply import room
from forms.closing import whole
from randomization import api as vault_api
from randomization.closed import api

pages = Pages("vault_unblinding", __name__)
PAGE = "/vault/<study_id>/unblinding"
VERIFIER = "verify_bundle.py"


@pages.page(PAGE, needs=Right.RANDOMIZATION_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.DATA_LOCK, methods=("POST",))
def sign(study_id: str) -> ResponseReturnValue:
    """Sign that a list is laid open, with one's password; two different people do."""
    try:
        where.in_force(study_id, Right.DATA_LOCK)
        locked = whole.require(g.session, study_id)
        accounts.confirm(g.session, g.by, request.form.get("password", ""))
        number = room.whole("list", 10**6)
        vault_api.sign_unblinding(room.vault(), g.by, study_id, number, locked.reference())
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/vault/{study_id}/unblinding?done=1", 303)


def _page(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.RANDOMIZATION_READ).study
    return render_template(
        "vault/oversight/unblinding.html", study=study, refusal=refusal,
        locked=whole.closed(g.session, study_id), needed=vault_api.SIGNERS,
        lists=api.standing(room.vault(), study_id), me=g.actor.id,
        signer=g.actor.may(Right.DATA_LOCK, study_id),
        taker=g.actor.may(Right.CLOSED_MAKE, study_id),
    )  # fmt: skip


@pages.page(f"{PAGE}/<int:number>/bundle.json", needs=Right.CLOSED_MAKE)
def bundle(study_id: str, number: int) -> ResponseReturnValue:
    """Hand out the whole randomization; the act that lays it open is written before."""
    where.in_force(study_id, Right.CLOSED_MAKE)
    whole.require(g.session, study_id)
    text = vault_api.bundle(room.vault(), g.by, study_id, number)
    return _file(text, "application/json", f"{study_id}-list-{number}-bundle.json")


@pages.page(f"{PAGE}/<int:number>/publication.txt", needs=Right.RANDOMIZATION_READ)
def publication(study_id: str, number: int) -> ResponseReturnValue:
    where.in_force(study_id, Right.RANDOMIZATION_READ)
    known = {one.list_version for one in api.standing(room.vault(), study_id)}
    if number not in known:
        raise NotFound(T("There is no list {n} of this study here.", n=number))
    text = vault_api.published(room.vault(), study_id, number).text()
    return _file(text, "text/plain; charset=utf-8", f"{study_id}-list-{number}-publication.txt")


@pages.page(f"{PAGE}/{VERIFIER}", needs=Right.RANDOMIZATION_READ)
def verifier(study_id: str) -> ResponseReturnValue:
    """Hand out the program that checks a bundle without this system."""
    where.in_force(study_id, Right.RANDOMIZATION_READ)
    text = (files("randomization") / VERIFIER).read_text("utf-8")
    return _file(text, "text/x-python; charset=utf-8", VERIFIER)


def _file(text: str, kind: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition}
    return Response(text.encode(), content_type=kind, headers=headers)
