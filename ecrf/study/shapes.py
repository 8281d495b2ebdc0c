"""Does a file have the shape it should have? All that is wrong becomes findings, with places.

What is wrong is then left out of the node (or stands as "?"), so that the rest of the study can
still be read and checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ecrf.kernel.text import Message, T
from ecrf.study import authored
from ecrf.study.findings import Finding, at
from ecrf.study.spelling import suggest
from ecrf.study.yamlfile import Node

M = TypeVar("M", bound=BaseModel)

MAX_ROUNDS = 400
TAGS = ("item", "grid", "bool", "str", "constrained-str")

STAND_INS: Mapping[str, object] = {
    "en": "?",
    "zh": "?",
    "label": {"en": "?", "zh": "?"},
    "title": {"en": "?", "zh": "?"},
    "short_title": {"en": "?", "zh": "?"},
    "message": {"en": "?", "zh": "?"},
    "name": {"en": "?", "zh": "?"},
    "type": "text",
    "version": "?",
    "registry": "?",
    "planned": 0,
    "items": [],
    "rows": [],
    "columns": [],
    "sections": [],
    "forms": [],
    "arms": [],
    "sites": [],
}

PATTERNS: Mapping[str, Message] = {
    r"^[A-Za-z][A-Za-z0-9_]{0,39}$": T(
        "a letter, then letters, digits or _, at most 40 in all"
    ),
    r"^[A-Z]{2,8}$": T("2 to 8 capital letters"),
    r"^[a-z0-9][a-z0-9-]{1,39}$": T("small letters, digits and -, 2 to 40 in all"),
}

KINDS: Mapping[str, Message] = {
    "string_type": T("This should be text. Write it in quotes."),
    "string_too_short": T("This text is empty."),
    "string_too_long": T("This text is too long."),
    "int_type": T("This should be a whole number, without quotes."),
    "bool_type": T("This should be true or false."),
    "decimal_type": T("This should be a number, such as 0.5 or “0.5”."),
    "decimal_parsing": T("This should be a number, such as 0.5 or “0.5”."),
    "finite_number": T("This should be a number, such as 0.5 or “0.5”."),
    "truth_or_formula": T("This should be true, false or an expression."),
    "tuple_type": T("This should be a list."),
    "dict_type": T("This should be a mapping of keys to values."),
    "model_type": T("This should be a mapping of keys to values."),
    "model_attributes_type": T("This should be a mapping of keys to values."),
    "too_long": T("This should be two values: the lowest and the highest allowed."),
}


def _vocabulary(kind: type[BaseModel]) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        yield field.alias or name


KEYS = frozenset(
    key
    for kind in vars(authored).values()
    if isinstance(kind, type) and issubclass(kind, BaseModel)
    for key in _vocabulary(kind)
)


def shape(node: Node, kind: type[M]) -> tuple[M | None, list[Finding]]:
    """Return the node as `kind`, with everything that is wrong with it.

    None when so much is missing that nothing is left. Parts that are wrong are taken out of
    `node`, and the mapping they were in is marked broken.
    """
    findings: list[Finding] = []
    for number in range(MAX_ROUNDS):
        try:
            return kind.model_validate(node.plain()), findings
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=True)
            if number == 0:
                findings.extend(_finding(node, detail) for detail in details)
            if not _leave_out(node, details[0]):
                break
    return None, findings


def _finding(root: Node, detail: ErrorDetails) -> Finding:
    trail, rest = _follow(root, detail["loc"])
    node = trail[-1][1]
    if detail["type"] == "missing" and rest:
        return at(node.place, _missing(str(rest[-1])))
    if detail["type"] == "extra_forbidden":
        key = str(trail[-1][0])
        message = suggest(T("The key {key} is not known here.", key=key), key, KEYS)
        return at(trail[-2][1].keys.get(key, node.place), message)
    return at(node.place, _message(detail))


def _missing(key: str) -> Message:
    if key in ("en", "zh"):
        return T("{key} is missing: every text is in English and in Chinese.", key=key)
    if key.isdigit():
        return KINDS["too_long"]
    return T("{key} is missing.", key=key)


def _message(detail: ErrorDetails) -> Message:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in ("literal_error", "enum"):
        options = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        message = T(
            "{value} is not known here. It is one of: {options}.",
            value=value,
            options=", ".join(options),
        )
        return suggest(message, str(value), options)
    if kind == "string_pattern_mismatch":
        form = PATTERNS.get(str(context["pattern"]), str(context["pattern"]))
        return T("“{value}” is not allowed here. Write {form}.", value=value, form=form)
    return KINDS.get(kind, T("This is not right: {reason}.", reason=detail["msg"]))


Step = tuple[str | int, Node]


def _follow(root: Node, location: Sequence[str | int]) -> tuple[list[Step], list[str | int]]:
    """Return the nodes on the way to `location`, and the steps that led nowhere."""
    trail: list[Step] = [("", root)]
    for number, step in enumerate(location):
        here = trail[-1][1]
        if isinstance(step, int) and step < len(here.members()):
            trail.append((step, here.members()[step]))
        elif isinstance(step, str) and step in here.entries():
            trail.append((step, here.entries()[step]))
        elif step not in TAGS:
            return trail, list(location[number:])
    return trail, []


def _leave_out(root: Node, detail: ErrorDetails) -> bool:
    """Take what is wrong out of its mapping; say whether something is left."""
    trail, rest = _follow(root, detail["loc"])
    if detail["type"] == "missing" and rest and str(rest[-1]) in STAND_INS:
        here = trail[-1][1]
        here.broken = here.broken or str(rest[-1]) not in ("en", "zh")
        here.entries()[str(rest[-1])] = _stand_in(STAND_INS[str(rest[-1])], here)
        return True
    if detail["loc"][:1] == ("matrix",) and detail["type"] == "literal_error":
        trail[-1][1].value = "o"  # the form is due there somehow
        return True
    while len(trail) > 1:
        step, node = trail.pop()
        parent = trail[-1][1]
        if detail["type"] != "extra_forbidden" or parent is not root:
            parent.broken = True
        if isinstance(step, str):
            del parent.entries()[step]
            return True
        if isinstance(node.value, dict):
            del parent.members()[step]
            return True
    return False


def _stand_in(value: object, near: Node) -> Node:
    if isinstance(value, dict):
        inner = {key: _stand_in(part, near) for key, part in value.items()}
        return Node(inner, near.place)
    return Node(list(value) if isinstance(value, list) else value, near.place)  # type: ignore[arg-type]
