"""A study's own form that extends one of the library: added, dropped, changed, on the nodes.

Working on nodes keeps the place of every part, whichever file it comes from.
"""

from collections.abc import Iterator

from ecrf.kernel.text import T
from ecrf.study.findings import Finding, at
from ecrf.study.spelling import suggest
from ecrf.study.yamlfile import Node

REPLACED = ("form", "title", "intro", "repeating", "double", "signed", "source")


def extend(own: Node, base: Node) -> tuple[Node, list[Finding]]:
    """Return the base form with what `own` says otherwise."""
    form = base.copy()
    findings = [*_drop(form, own), *_change(form, own)]
    for key in REPLACED:
        if key in own.entries():
            _put(form, key, own)
    _append(form, "sections", own.entries().get("add"))
    _append(form, "checks", own.entries().get("checks"))
    return Node(form.entries(), own.place, form.keys), findings


def _put(into: Node, key: str, giver: Node) -> None:
    into.entries()[key] = giver.entries()[key]
    into.keys[key] = giver.keys[key]


def _append(form: Node, key: str, more: Node | None) -> None:
    if more is None:
        return
    there = form.entries().setdefault(key, Node([], more.place))
    form.entries()[key] = Node([*there.members(), *more.members()], there.place)


def _drop(form: Node, own: Node) -> Iterator[Finding]:
    for name in own.entries().get("drop", Node([], own.place)).members():
        parts = dict(_parts(form))
        if not isinstance(name.value, str):
            continue
        if name.value in parts:
            siblings, part = parts[name.value]
            siblings[:] = [other for other in siblings if other is not part]
        else:
            yield _unknown(name, name.value, parts)


def _change(form: Node, own: Node) -> Iterator[Finding]:
    changes = own.entries().get("change", Node({}, own.place))
    parts = dict(_parts(form))
    for name, change in changes.entries().items():
        if name in parts:
            for key in change.entries():
                _put(parts[name][1], key, change)
        else:
            yield _unknown(Node(name, changes.keys[name]), name, parts)


def _unknown(node: Node, name: str, parts: "dict[str, Part]") -> Finding:
    message = T("The extended form has no {name}.", name=name)
    return at(node.place, suggest(message, name, parts))


Part = tuple[list[Node], Node]
"""A part of a form, and the list it stands in."""


def _parts(form: Node) -> Iterator[tuple[str, Part]]:
    """Yield all that can be named: items, grids, rows, columns (`grid.column`), checks."""
    sections = form.entries().get("sections", Node([], form.place))
    for section in sections.members():
        members = section.entries().get("items", Node([], section.place)).members()
        for member in members:
            grid = member.entries().get("grid")
            yield from _named(members, member, "id" if grid is None else "grid")
            if grid is not None:
                yield from _inside(member, f"{grid.value}.")
    yield from _list(form, "checks", "")


def _inside(grid: Node, prefix: str) -> Iterator[tuple[str, Part]]:
    yield from _list(grid, "rows", "")
    yield from _list(grid, "columns", prefix)


def _list(parent: Node, key: str, prefix: str) -> Iterator[tuple[str, Part]]:
    parts = parent.entries().get(key, Node([], parent.place)).members()
    for part in parts:
        for name, found in _named(parts, part, "id"):
            yield prefix + name, found


def _named(siblings: list[Node], part: Node, key: str) -> Iterator[tuple[str, Part]]:
    name = part.entries().get(key)
    if name is not None and isinstance(name.value, str):
        yield name.value, (siblings, part)
