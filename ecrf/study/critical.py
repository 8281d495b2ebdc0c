"""Which items of a form a study calls critical. Pure."""

from collections.abc import Iterator

from ecrf.study.model import Form, Study

EVERY = "*"


def keys(study: Study, form: Form) -> frozenset[str]:
    """Return the keys of the form's critical items."""
    named = study.verification.critical.get(form.id, ())
    return frozenset(key for name in named for key in named_keys(form, name))


def named_keys(form: Form, name: str) -> Iterator[str]:
    """Yield the items that `name` means: an item, a grid, a column of a grid, or every one."""
    grid, _, column = name.partition(".")
    for key, cell in form.cells.items():
        whole = cell.grid is not None and cell.grid.id == name
        in_column = (
            cell.grid is not None and cell.grid.id == grid and cell.question.id == column
        )
        if name in (EVERY, key) or whole or in_column:
            yield key
