"""Asking a question: about an item or a whole form, the date of a visit, a participant."""

from collections.abc import Callable
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import T, Text
from ecrf.study.model import Code, Study, Words
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.spot import NUMBERED, Spot
from forms import queries
from forms.answers import called
from forms.lookup import Found
from forms.questions import assigning, places, readymade
from forms.questions.assigning import Assignee

pages = Pages("ask", __name__)
PARTICIPANT = "/<study_id>/participants/<code>/ask"
VISIT = "/<study_id>/participants/<code>/visits/<key>/ask"
TEXT = "query-text"


class Topic(NamedTuple):
    """What can be asked about on one page: places by item, where it is, the way back."""

    study: Study
    site: str
    place: tuple[Text | str, ...]
    names: tuple[tuple[str, Text | str], ...]
    action: str
    back: str


@pages.page(f"{NUMBERED}/ask", needs=Right.QUERY_OPEN)
def ask(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    return _page(_of_form(Spot(study_id, code, key, form, number)))


@pages.page(f"{NUMBERED}/ask", needs=Right.QUERY_OPEN, methods=("POST",))
def ask_sent(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found, item = spot.find(Right.QUERY_OPEN, lock=True), request.form.get("item", "")
    anchor = f"#{item}" if item else ""
    return _send(
        found, item, found.study, found.participant.site, f"{spot.path}?done=1{anchor}",
        lambda: _of_form(spot),
    )  # fmt: skip


@pages.page(VISIT, needs=Right.QUERY_OPEN)
def ask_visit(study_id: str, code: str, key: str) -> ResponseReturnValue:
    return _page(_above(study_id, code, key))


@pages.page(VISIT, needs=Right.QUERY_OPEN, methods=("POST",))
def ask_visit_sent(study_id: str, code: str, key: str) -> ResponseReturnValue:
    return _send_above(study_id, code, key, where.visit(study_id, code, key))


@pages.page(PARTICIPANT, needs=Right.QUERY_OPEN)
def ask_participant(study_id: str, code: str) -> ResponseReturnValue:
    return _page(_above(study_id, code, ""))


@pages.page(PARTICIPANT, needs=Right.QUERY_OPEN, methods=("POST",))
def ask_participant_sent(study_id: str, code: str) -> ResponseReturnValue:
    return _send_above(study_id, code, "", where.participant(study_id, code))


def _send_above(study_id: str, code: str, key: str, back: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.QUERY_OPEN).study
    spot = places.above_forms(
        g.session, g.actor, study_id, code, key, Right.QUERY_OPEN, lock=True
    )
    return _send(
        spot, "", study, spot.participant.site, f"{back}?done=1#queries",
        lambda: _above(study_id, code, key),
    )  # fmt: skip


def _send(
    at: Found | places.Spot,
    item: str,
    study: Study,
    site: str,
    done: str,
    topic: Callable[[], Topic],
) -> ResponseReturnValue:
    code = request.form.get("query-template", "")
    try:
        said = readymade.both(request.form.get(TEXT, ""), code, _words(study, code, at, item))
        queries.open_(g.session, g.by, at, item, said, _assignee(study.id, site))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(topic(), wrong)) from None
    return redirect(done, 303)


def _assignee(study_id: str, site: str) -> Assignee | None:
    key = request.form.get("assignee", "")
    if not key:
        return None
    return assigning.chosen(assigning.candidates(g.session, study_id, site, g.by.at), key)


def _words(study: Study, code: str, at: Found | places.Spot, item: str) -> Words | None:
    """Return the chosen ready-made question with the name of what is asked about."""
    found = _code(study, code)
    if found is None:
        return None
    cell = at.form.cells.get(item) if isinstance(at, Found) else None
    if cell is not None:
        return readymade.named(found, _both(called(cell)))
    kind = (
        places.About.FORM
        if isinstance(at, Found)
        else places.about(at.visit is not None, "", "")
    )
    return readymade.named(found, _both(places.NAMES[kind]))


def _code(study: Study, code: str) -> Code | None:
    return next((one for one in readymade.questions(study) if one.value == code), None)


def _both(text: Text) -> Words:
    return Words(en=text.in_("en"), zh=text.in_("zh"))


def _of_form(spot: Spot) -> Topic:
    found = spot.find(Right.QUERY_OPEN)
    cells = found.form.cells.items()
    names = (("", places.NAMES[places.About.FORM]), *((key, called(c)) for key, c in cells))
    return Topic(
        found.study, found.participant.site, (spot.code, spot.key, found.form.title), names,
        f"{spot.numbered}/ask", spot.path,
    )  # fmt: skip


def _above(study_id: str, code: str, key: str) -> Topic:
    study = where.in_force(study_id, Right.QUERY_OPEN).study
    spot = places.above_forms(g.session, g.actor, study_id, code, key, Right.QUERY_OPEN)
    kind = places.about(spot.visit is not None, "", "")
    back = where.visit(study_id, code, key) if key else where.participant(study_id, code)
    place = (code, key) if key else (code,)
    names = (("", places.NAMES[kind]),)
    return Topic(study, spot.participant.site, place, names, f"{back}/ask", back)


def _page(topic: Topic, refusal: Refused | None = None) -> ResponseReturnValue:
    item = request.values.get("item", "")
    code = request.form.get("query-template") or request.args.get("template", "")
    found = _code(topic.study, code)
    name = dict(topic.names).get(item, topic.names[0][1])
    words = readymade.named(found, _both(_text(name))).in_(g.locale) if found else ""
    return render_template(
        "ask.html", topic=topic, item=item, refusal=refusal, template=code if found else "",
        text=request.form.get(TEXT, words), readymade=readymade.questions(topic.study),
        candidates=assigning.candidates(g.session, topic.study.id, topic.site, g.by.at),
        chosen=request.form.get("assignee", ""),
    )  # fmt: skip


def _text(name: Text | str) -> Text:
    return T("{name}", name=name) if isinstance(name, str) else name
