"""Which items of an unlocked entry may be changed. Pure."""

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import T
from forms.answers import called
from forms.lookup import Found
from forms.plan import Plan


def require(found: Found, decided: Plan) -> None:
    """Refuse changes of items that were not unlocked; computed ones follow the others."""
    allowed = found.entry.open_items if found.entry else None
    if allowed is None:
        return
    cells = found.form.cells
    barred = [
        edit.key
        for edit in decided.edits
        if edit.key not in allowed
        and (edit.key not in cells or cells[edit.key].question.derive is None)
    ]
    if barred:
        raise Unacceptable(
            T("Only the items that were unlocked can be changed."),
            [
                Problem(
                    key,
                    T(
                        "{item}: it is locked.",
                        item=called(cells[key]) if key in cells else key,
                    ),
                )
                for key in barred
            ],
        )


def require_all(found: Found) -> None:
    """Refuse to empty an entry of which only some items were unlocked."""
    if found.entry and found.entry.open_items is not None:
        raise Unacceptable(T("Only the items that were unlocked can be changed."), [])
