"""How changes of answers are told: old and new in words, and the history of an entry."""

from collections.abc import Mapping

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.text import Text
from ecrf.web.routes import Pages
from ecrf.web.spot import NUMBERED, Spot
from forms import choices, entries, history
from forms.answers import Answer, called
from forms.deeds import ACTIONS, WAYS
from forms.lookup import Found
from forms.plan import Plan

pages = Pages("changes", __name__)


@pages.page(f"{NUMBERED}/history", needs=Right.ENTRY_READ)
def show_history(
    study_id: str, code: str, key: str, form: str, number: int
) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_READ)
    item = request.args.get("item", "")
    lines = history.of_entry(g.session, found.entry.id, item or None) if found.entry else []
    page = "history_part.html" if "part" in request.args else "entry_history.html"
    return render_template(
        page, spot=spot, found=found, item=item, lines=lines, titles=TITLES,
        name_of=lambda each: name(found, each), zone=found.site.zone, actions=ACTIONS,
        ways=WAYS, said=lambda item, stored: told(found, item, stored),
    )  # fmt: skip


def edits(found: Found, decided: Plan) -> list[tuple[str, Text, str, str]]:
    """Return what would change: item, its name, what is stored, what was typed."""
    cells = found.form.cells
    return [
        (
            edit.key,
            called(cells[edit.key]),
            words(found, edit.key, edit.old),
            words(found, edit.key, edit.new),
        )
        for edit in decided.edits
        if edit.old is not None and cells[edit.key].question.derive is None
    ]


def told(found: Found, item: str, stored: Mapping[str, str] | None) -> str:
    """Return an answer of the ledger on one line."""
    return words(found, item, Answer(**stored)) if stored else ""


def words(found: Found, item: str, answer: Answer | None) -> str:
    """Return an answer as people read it: codes by their labels, figures with their unit."""
    cell = found.form.cells.get(item)
    options = choices.options(cell.question, found.study) if cell else ()
    labels = {code.value: code.label.in_(g.locale) for code in options}
    if answer is None or not labels or not answer.value:
        return entries.shown(answer)
    return ", ".join(labels.get(value, value) for value in answer.value.split(","))


def name(found: Found, item: str) -> Text | str:
    """Return what people call an item, also one that the definition no longer has."""
    cell = found.form.cells.get(item)
    return called(cell) if cell else item
