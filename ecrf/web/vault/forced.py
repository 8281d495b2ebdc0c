"""Forced allocation, in the vault app: what sites asked and were refused, proposals, decisions.

What a proposal rests on is what the site signed and asked; nobody here types a stratum.
"""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound, Refused
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.randomize import drawn_from, requested
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from forms import randomizing
from forms.randomizing import Standing
from randomization import forcing
from visits import randomized
from visits.allocating import waiting
from visits.randomized import Late

pages = Pages("vault_forced", __name__)
PAGE = "/vault/<study_id>/forced"


@pages.page(PAGE, needs=Right.ALLOCATION_FORCE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.ALLOCATION_FORCE, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Propose, confirm with one's password, or decline."""
    do = ACTS.get(room.typed("act"), _unknown)
    then = f"/vault/{study_id}/forced"
    return room.carry_out(partial(do, study_id), partial(_page, study_id), then)


def _propose(study_id: str) -> None:
    at = _asked(study_id, room.typed("code"))
    forcing.propose(
        room.vault(), g.by, requested(g.by, at), supply="supply" in request.form,
        cap="cap" in request.form, reason=room.typed("reason"),
    )  # fmt: skip


def _confirm(study_id: str) -> None:
    """Carry it out, then store the answer; the sweeper stores what a crash leaves out.

    What the site has to see to is asked for again. The site is told that there was an
    exception, not which.
    """
    accounts.confirm(g.session, g.by, request.form.get("password", ""))
    number = room.whole("number", 10**9)
    made = forcing.proposals(room.vault(), g.by, study_id)
    code = next((one.participant for one in made if one.id == number), "")
    at = _asked(study_id, code)
    receipt = forcing.confirm(room.vault(), g.by, study_id, number, room.typed("reason"))
    drawn = drawn_from(receipt, at.who.zone)
    cause = Late("Randomized under an exception, by two people of the unblinded side.")
    randomized.store(g.session, g.by, at.study, at.who, at.head, at.visit_id, drawn, cause)


def _decline(study_id: str) -> None:
    number = room.whole("number", 10**9)
    forcing.decline(room.vault(), g.by, study_id, number, room.typed("reason"))


def _unknown(_study_id: str) -> None:
    raise room.wrong("act", T("Choose what to do."))


ACTS = {"propose": _propose, "confirm": _confirm, "decline": _decline}


def _asked(study_id: str, code: str) -> Standing:
    """Return the participant as they stand; refuse whom nobody asked to randomize."""
    where.in_force(study_id, Right.ALLOCATION_FORCE)
    codes = [line.code for line in waiting.lines(g.session, g.actor, study_id)]
    if code not in codes:
        raise NotFound(T("Nobody waits to be randomized as {code}.", code=code))
    at = randomizing.find(
        g.session, g.by, study_id, code, lock=True, right=Right.ALLOCATION_FORCE
    )
    if not at.met:
        raise Conflict(
            T("What the site has to see to is not so for {code}; it cannot be set aside here.",
              code=code)
        )  # fmt: skip
    return at


def _page(study_id: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.ALLOCATION_FORCE).study
    made = forcing.proposals(room.vault(), g.by, study_id)
    proposed = {one.participant for one in made if not one.outcome}
    lines = waiting.lines(g.session, g.actor, study_id)
    return render_template(
        "vault/forced.html", study=study, refusal=refusal, sent=request.form, made=made,
        waiting=[line for line in lines if line.code not in proposed], me=g.actor.id,
    )  # fmt: skip
