"""The files of forms: in the study's own folder first, then in the library, extended or not."""

from pathlib import Path

from ecrf.kernel.text import T
from ecrf.study import authored
from ecrf.study.extend import extend
from ecrf.study.findings import Finding, Place, at
from ecrf.study.shapes import shape
from ecrf.study.spelling import suggest
from ecrf.study.yamlfile import Node, load


class FormFiles:
    """Reads each file at most once, and gathers what is wrong with them in `findings`."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.own = _files(folder)
        self.shared = _files(library)
        self.findings: list[Finding] = []
        self._read: dict[Path, Node | None] = {}

    def node(self, name: str, asked: Place) -> Node | None:
        """Return the form `name`, an extension already carried out; None when it is lost."""
        path = self.own.get(name) or self.shared.get(name)
        if path is None:
            self._missing(name, asked, {**self.shared, **self.own})
            return None
        node = self._load(path)
        if node is None or "extend" not in node.entries():
            return self._called(node, name)
        return self._called(self._extended(node, path), name)

    def _extended(self, node: Node, path: Path) -> Node | None:
        extension, findings = shape(node, authored.Extension)
        self.findings.extend(findings)
        if extension is None:
            return None
        asked = node.entries()["extend"].place
        base_path = self.shared.get(extension.extend)
        if base_path is None or base_path == path:
            self._missing(extension.extend, asked, self.shared)
            return None
        base = self._load(base_path)
        if base is None:
            return None
        if "extend" in base.entries():
            message = T("{name} extends another form itself.", name=extension.extend)
            self.findings.append(at(asked, message))
            return None
        whole, findings = extend(node, base)
        self.findings.extend(findings)
        return whole

    def _called(self, node: Node | None, name: str) -> Node | None:
        """Make sure the form is called like its file."""
        called = node.entries().get("form") if node else None
        if node is None or called is None or called.value == name:
            return node
        if called.place.file != node.place.file:  # the name of the form extended
            return _renamed(node, name)
        message = T(
            "The form is called {called}, its file {name}.yaml.", called=called.value, name=name
        )
        self.findings.append(at(called.place, message))
        return _renamed(node, name)

    def _load(self, path: Path) -> Node | None:
        if path not in self._read:
            loaded = load(path)
            self.findings.extend(loaded.findings)
            self._read[path] = loaded.node
        return self._read[path]

    def _missing(self, name: str, asked: Place, known: dict[str, Path]) -> None:
        message = T("There is no file forms/{name}.yaml.", name=name)
        self.findings.append(at(asked, suggest(message, name, known)))


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted((folder / "forms").glob("*.yaml"))}


def _renamed(node: Node, name: str) -> Node:
    node.entries()["form"] = Node(name, node.entries()["form"].place)
    return node
