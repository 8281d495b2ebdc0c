"""A YAML file as nodes that know their place. Nothing is converted, so nothing is lost.

The file is composed (by libyaml, through PyYAML), not constructed: that gives line and column
of every key and value, keeps the digits of a number as written, and never makes an object. What
a plain word means follows the core schema of YAML 1.2: `no`, `on` and `012` are no truth and no
number.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from yaml.cyaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as Composed
from yaml.reader import ReaderError
from yaml.resolver import BaseResolver

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import T
from ecrf.study.findings import Finding, Place, at

MAX_NODES = 200_000
MAX_DEPTH = 40

Scalar = str | int | Decimal | bool | None

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}", re.ASCII)
_CORE = {  # YAML 1.2.2, 10.3.2: the tag of a plain word, and what it can begin with
    "null": (r"|~|null|Null|NULL", ["", *"~nN"]),
    "bool": (r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    "float": (
        r"[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
        [*"-+.0123456789"],
    ),
}
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}


@dataclass(slots=True)
class Node:
    """One value of a file. `keys` says where the key of each entry of a mapping stands.

    `broken` marks a value part of which had to be left out.
    """

    value: "Scalar | list[Node] | dict[str, Node]"
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    broken: bool = False

    def copy(self) -> "Node":
        match self.value:
            case dict() as entries:
                inner: Scalar | list[Node] | dict[str, Node] = {
                    key: node.copy() for key, node in entries.items()
                }
            case list() as members:
                inner = [node.copy() for node in members]
            case scalar:
                inner = scalar
        return Node(inner, self.place, dict(self.keys), self.broken)

    def entries(self) -> "dict[str, Node]":
        return self.value if isinstance(self.value, dict) else {}

    def members(self) -> "list[Node]":
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> object:
        """Return the value as lists, dicts and scalars."""
        match self.value:
            case dict() as entries:
                return {key: node.plain() for key, node in entries.items()}
            case list() as members:
                return [node.plain() for node in members]
            case scalar:
                return scalar


class Loaded(NamedTuple):
    """A file read: its node unless it cannot be read at all, and what is wrong with it."""

    node: Node | None
    findings: tuple[Finding, ...] = ()


def load(path: Path) -> Loaded:
    """Read one file. Syntax errors and duplicate keys are findings."""
    start = Place(str(path), 1, 1)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError:
        return Loaded(None, (at(start, T("The file cannot be read.")),))
    except UnicodeDecodeError as error:
        return Loaded(None, (_not_utf8(path, error),))
    try:
        composed = _Composer(text).get_single_node()
    except YAMLError as error:
        return Loaded(None, (_syntax(path, text, error),))
    if composed is None:
        return Loaded(None, (at(start, T("The file is empty.")),))
    reader = _Reader(str(path))
    try:
        node = reader.read(composed, 0)
    except _TooMuch as error:
        return Loaded(None, (at(error.place, T("The file is too large or nests too deep.")),))
    return Loaded(node, tuple(reader.findings))


def document(path: Path) -> object:
    """Return the plain value of one file; raise Unacceptable with what is wrong in it."""
    loaded = load(path)
    if loaded.node is None or loaded.findings:
        problems = [Problem(":".join(map(str, f[1:4])), f.message) for f in loaded.findings]
        raise Unacceptable(T("The file cannot be used."), problems)
    return loaded.node.plain()


class _Composer(CParser, BaseResolver):  # type: ignore[misc] # PyYAML has no types
    """libyaml's parser with the words of the core schema."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        BaseResolver.__init__(self)


for _tag, (_pattern, _begins) in _CORE.items():
    _Composer.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})\\Z", re.ASCII), _begins
    )


class _TooMuch(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


class _Reader:
    """Turns composed nodes of one file into ours."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.count = 0

    def read(self, node: Composed, depth: int) -> Node:
        place = self.place(node)
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise _TooMuch(place)
        match node:
            case MappingNode():
                return self.mapping(node, place, depth)
            case SequenceNode():
                return Node([self.read(member, depth + 1) for member in node.value], place)
            case ScalarNode():
                return Node(_scalar(node), place)
        raise AssertionError(node)

    def mapping(self, node: MappingNode, place: Place, depth: int) -> Node:
        made = Node({}, place)
        entries = made.entries()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            if name in entries:
                first = made.keys[name].line
                message = T(
                    "The key {key} is here twice; the first is in line {line}.",
                    key=name,
                    line=first,
                )
                self.findings.append(at(self.place(key), message))
                continue
            made.keys[name] = self.place(key)
            entries[name] = self.read(value, depth + 1)
        return made

    def place(self, node: Composed) -> Place:
        mark = node.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)


def _scalar(node: ScalarNode) -> Scalar:
    """Return text, unless it is plainly a number, true, false or nothing.

    A number that would print otherwise than it is written (007, 1e3) stays text.
    """
    text = str(node.value)
    match str(node.tag).rsplit(":", 1)[-1]:
        case "null":
            return None
        case "bool":
            return _TRUTH.get(text, False)
        case "int" if _INTEGER.fullmatch(text):
            return int(text)
        case "float" if _DECIMAL.fullmatch(text):
            return Decimal(text)
    return text


def _syntax(path: Path, text: str, error: YAMLError) -> Finding:
    place, reason = Place(str(path), 1, 1), str(error)
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = Place(str(path), mark.line + 1, mark.column + 1)
        reason = " ".join(part for part in (error.context, error.problem) if part)
    elif isinstance(error, ReaderError):
        before = text.encode()[: error.position].decode(
            "utf-8", "ignore"
        )  # libyaml counts bytes
        place = _position(path, before)
        reason = error.reason
    return at(place, T("This is no YAML: {reason}.", reason=reason))


def _not_utf8(path: Path, error: UnicodeDecodeError) -> Finding:
    before = error.object[: error.start].decode("utf-8", "replace")
    return at(_position(path, before), T("The file is not UTF-8 text."))


def _position(path: Path, before: str) -> Place:
    lines = before.split("\n")
    return Place(str(path), len(lines), len(lines[-1]) + 1)
