"""The stratum of somebody randomized: what they were randomized under, and what is true."""

from collections.abc import Mapping
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Refused
from ecrf.kernel.text import T, Text
from ecrf.study import strata
from ecrf.study.model import Factor, Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms import randomizing
from forms.randomizing import Standing
from visits.allocating import correcting
from visits.allocating.correcting import Correction
from visits.refusals import REASON

pages = Pages("stratum", __name__)
PAGE = "/<study_id>/participants/<code>/stratum"


class Line(NamedTuple):
    """A factor as the page shows it; `answer` is what the forms say now, where it differs."""

    factor: Factor
    under: Text
    true: Text | None
    answer: str | None
    answer_said: Text | None
    correctable: bool


@pages.page(PAGE, needs=Right.STRATUM_CORRECT)
def show(study_id: str, code: str) -> ResponseReturnValue:
    return _page(study_id, code, None)


@pages.page(PAGE, needs=Right.STRATUM_CORRECT, methods=("POST",))
def correct(study_id: str, code: str) -> ResponseReturnValue:
    """Write down the true level of one factor, with the reason."""
    try:
        at = _find(study_id, code)
        correcting.correct(
            g.session, g.by, at.study, at.who, request.form.get("factor", ""),
            request.form.get("true_level", ""), request.form.get(REASON, ""),
        )  # fmt: skip
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, code, wrong)) from None
    return redirect(f"{where.participant(study_id, code)}/stratum?done=1", 303)


def lines(at: Standing, known: Mapping[str, Correction]) -> list[Line]:
    """Return the factors of somebody randomized, as they were and as they are."""
    under = strata.under(at.receipt)
    return [_line(at, factor, under[factor.id], known) for factor in at.rule.factors
            if factor.id in under]  # fmt: skip


def _line(at: Standing, factor: Factor, level: str, known: Mapping[str, Correction]) -> Line:
    right = known[factor.id].true_level if factor.id in known else level
    answer = at.levels.get(factor.id)
    differs = answer if answer is not None and answer != right else None
    return Line(
        factor, strata.said(at.study, factor.id, level),
        strata.said(at.study, factor.id, right) if right != level else None, differs,
        strata.said(at.study, factor.id, differs) if differs else None,
        factor.from_ != "site",
    )  # fmt: skip


def _find(study_id: str, code: str) -> Standing:
    at = randomizing.find(g.session, g.by, study_id, code, right=Right.STRATUM_CORRECT)
    if at.who.random_number is None:
        raise Conflict(
            T("{code} is not randomized; correct the answer on its form.", code=code)
        )
    return at


def _page(study_id: str, code: str, refusal: Refused | None) -> str:
    at = _find(study_id, code)
    past = correcting.history(g.session, at.who.id)
    return render_template(
        "stratum.html",
        who=at.who,
        at=at,
        lines=lines(at, {one.factor: one for one in past}),
        history=[(one, _words(at.study, one)) for one in reversed(past)],
        levels=lambda factor: factor.levels,
        refusal=refusal,
        sent=request.form,
    )


def _words(study: Study, one: Correction) -> tuple[Text, Text, Text]:
    factors = study.randomization.factors if study.randomization else ()
    label: Text = next(
        (f.label for f in factors if f.id == one.factor), T("{id}", id=one.factor)
    )
    return (
        label, strata.said(study, one.factor, one.level),
        strata.said(study, one.factor, one.true_level),
    )  # fmt: skip
