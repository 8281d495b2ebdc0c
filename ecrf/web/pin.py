"""The page on which a person sets the PIN they may sign with, where the study allows one."""

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import pins
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages

pages = Pages("pin", __name__)
PAGE = "/<study_id>/pin"


def given(study: Study) -> str | None:
    """Return the PIN that was sent with a signature; None where the study allows none."""
    return request.form.get("pin", "").strip() if study.signing.pin else None


@pages.page(PAGE, needs=Right.ENTRY_SIGN)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id)


@pages.page(PAGE, needs=Right.ENTRY_SIGN, methods=("POST",))
def change(study_id: str) -> ResponseReturnValue:
    """Set the PIN, or take it away."""
    _require(study_id)
    sent = request.form
    try:
        if sent.get("act") == "drop":
            pins.drop(g.session, g.by, sent.get("password", ""))
        else:
            pins.set_(
                g.session, g.by, sent.get("password", ""), sent.get("pin", ""),
                sent.get("pin_again", ""),
            )  # fmt: skip
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/pin?done=1", 303)


def _page(study_id: str, refusal: Refused | None = None) -> str:
    _require(study_id)
    return render_template(
        "pin.html", refusal=refusal, stands=pins.standing(g.session, g.present),
        low=pins.SHORTEST, high=pins.LONGEST, tries=pins.TRIES,
    )  # fmt: skip


def _require(study_id: str) -> None:
    if not where.in_force(study_id, Right.ENTRY_SIGN).study.signing.pin:
        raise NotFound(T("This study is signed with the password; it has no PIN."))
