"""The receipt of a randomization as a PDF. It names no arm, for the receipt has none."""

from flask import Response, g
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import T
from ecrf.study import strata
from ecrf.study.model import Words
from ecrf.web.routes import Pages
from ecrf.web.services import services
from forms import randomizing
from forms.randomizing import Standing
from visits.allocating import asking, correcting

pages = Pages("receipt", __name__)


@pages.page("/<study_id>/participants/<code>/receipt.pdf", needs=Right.PARTICIPANT_READ)
def receipt(study_id: str, code: str) -> ResponseReturnValue:
    """Draw the receipt in the language of the page; who printed it is not on it."""
    from reports import receipt as drawing  # noqa: PLC0415 (slow to load, seldom needed)

    at = randomizing.find(g.session, g.by, study_id, code, right=Right.PARTICIPANT_READ)
    if at.receipt is None:
        raise NotFound(T("{code} has no receipt: nobody was randomized.", code=code))
    signed = asking.signed(g.session, at.who.id)
    paper = drawing.Receipt(
        at.study, at.receipt, at.who.zone,
        drawing.Signed(signed.by_name, signed.role, signed.meaning, signed.at)
        if signed else None,
        [
            drawing.Corrected(
                _label(at, one.factor), strata.said(at.study, one.factor, one.level),
                strata.said(at.study, one.factor, one.true_level), one.at,
            )
            for one in correcting.current(g.session, at.who.id).values()
            if one.true_level != one.level
        ],
        g.locale,
    )  # fmt: skip
    training = services().config.environment is Environment.TRAINING
    name = f"{study_id}-{code}-receipt.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(
        paper.draw(training=training), content_type="application/pdf", headers=headers
    )


def _label(at: Standing, factor_id: str) -> Words:
    known = (factor.label for factor in at.rule.factors if factor.id == factor_id)
    return next(known, Words(en=factor_id, zh=factor_id))
