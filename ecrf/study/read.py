"""Read a study from its folder. Every problem becomes a finding; the first one stops nothing.

`study.yaml`, `schedule.yaml` and `codes.yaml` stand in the folder; a form is looked for in its
`forms/`, then in the library's. Each file is read once. What can be read in spite of errors is
checked as a whole all the same (`check`), so that all findings come in one list.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from ecrf.kernel.text import T
from ecrf.study import authored, check_unblinding, model
from ecrf.study.build import Builder, matrix, used_only
from ecrf.study.canonical import canonical, fingerprint, from_canonical
from ecrf.study.check import problems
from ecrf.study.findings import Finding, Place, Problem, at, errors, in_order, located
from ecrf.study.formfiles import FormFiles
from ecrf.study.laboratory import Laboratory, Panel
from ecrf.study.places import FilePlaces
from ecrf.study.shapes import shape
from ecrf.study.unblinding import Vocabulary
from ecrf.study.yamlfile import Node, load

M = TypeVar("M", bound=BaseModel)

__all__ = ["Finding", "Reading", "canonical", "fingerprint", "from_canonical", "read", "shelf"]


class Reading(NamedTuple):
    """A study, unless a finding is an error, and all findings of `read` and `check`."""

    study: model.Study | None
    findings: tuple[Finding, ...]


def read(folder: Path, library: Path) -> Reading:
    """Read the study in `folder`, with the forms and code lists of `library`."""
    return _reading(_Reader(folder, library))


def shelf(folder: Path, library: Path) -> Reading:
    """Read the study in `folder` as if it used every form of `library`, at no visit if need be.

    So forms that no study uses are checked and tried, too.
    """
    return _reading(_Reader(folder, library, shelf=True))


def _reading(reader: "_Reader") -> Reading:
    study = reader.study()
    findings = in_order(reader.findings)
    return Reading(None if errors(findings) else study, findings)


class _Reader:
    """One reading: what has been found so far, and which node each part came from."""

    def __init__(self, folder: Path, library: Path, *, shelf: bool = False) -> None:
        self.folder = folder
        self.library = library
        self.shelf = shelf
        self.findings: list[Finding] = []
        self.places = FilePlaces()
        self.builder = Builder()
        self.files = FormFiles(folder, library)
        self.lost: set[str] = set()

    def study(self) -> model.Study | None:
        node = self.load(self.folder / "study.yaml")
        plan = self.load(self.folder / "schedule.yaml")
        written = self.shape(node, authored.Study)
        schedule = self.shape(plan, authored.Schedule)
        codelists = self.codelists()
        forms = self.forms(node)
        laboratory = self.laboratory(forms)
        self.findings.extend(self.files.findings)
        if node is None or plan is None or written is None or schedule is None:
            self.findings.extend(located(self.builder.problems, self.places))
            return None
        self.places.roots[()] = node
        self.place_schedule(plan, matrix(written, schedule))
        study = self.builder.study(written, schedule, codelists, forms)
        study = study.model_copy(update={"laboratory": laboratory})
        self.check(study)
        return used_only(study)

    def load(self, path: Path) -> Node | None:
        loaded = load(path)
        self.findings.extend(loaded.findings)
        return loaded.node

    def shape(self, node: Node | None, kind: type[M]) -> M | None:
        if node is None:
            return None
        made, findings = shape(node, kind)
        self.findings.extend(findings)
        return made

    def codelists(self) -> dict[str, model.CodeList]:
        """Return the lists of the library, overlaid by those of the study."""
        lists: dict[str, model.CodeList] = {}
        for path in (self.library / "codes.yaml", self.folder / "codes.yaml"):
            node = self.load(path) if path.exists() else None
            codes = self.shape(node, authored.Codes)
            if node is None or codes is None:
                continue
            for name, options in codes.root.items():
                lists[name] = model.CodeList(id=name, codes=options)
                self.places.roots["codelists", name] = node.entries()[name]
        return lists

    def laboratory(self, forms: Mapping[str, model.Form]) -> Laboratory | None:
        """Return the laboratory part, with the analytes of the library's forms it uses."""
        path = self.folder / "laboratory.yaml"
        node = self.load(path) if path.exists() else None
        own = self.shape(node, Laboratory)
        if node is None or own is None:
            return None
        self.places.roots["laboratory",] = node
        shared = self.library / "laboratory.yaml"
        panel = self.shape(self.load(shared), Panel) if shared.exists() else None
        return own.with_panel(panel or Panel(), forms)

    def forms(self, study: Node | None) -> dict[str, model.Form]:
        """Return the forms in the order they are listed."""
        listed = self.listed(study)
        forms: dict[str, model.Form] = {}
        for name, place in listed.items():
            form = self.form(name, place)
            if form is None:
                self.lost.add(name)
            else:
                forms[name] = form
        return forms

    def listed(self, study: Node | None) -> dict[str, Place]:
        """Return the forms to read; all of the folder when `study.yaml` cannot tell."""
        names = study.entries().get("forms") if study else None
        if names is None:
            return {name: Place(str(path), 1, 1) for name, path in self.files.own.items()}
        listed: dict[str, Place] = {}
        for node in names.members():
            name = str(node.value)
            if name in listed:
                message = T("The form {name} is listed twice.", name=name)
                self.findings.append(at(node.place, message))
            listed.setdefault(name, node.place)
        for name, path in self.files.own.items():
            if name not in listed:
                message = T("The form {name} is not listed in study.yaml.", name=name)
                self.findings.append(at(Place(str(path), 1, 1), message, "warning"))
        if self.shelf:
            for name, path in self.files.shared.items():
                listed.setdefault(name, Place(str(path), 1, 1))
        return listed

    def form(self, name: str, asked: Place) -> model.Form | None:
        node = self.files.node(name, asked)
        written = self.shape(node, authored.Form)
        if node is None or written is None:
            return None
        self.places.roots["forms", name] = node
        return self.builder.form(written)

    def place_schedule(self, plan: Node, cells: Iterable[model.Assessment]) -> None:
        self.places.roots["visits",] = plan.entries()["visits"]
        rows = plan.entries().get("matrix", plan)
        for n, cell in enumerate(cells):
            row = rows.entries()[cell.form]
            self.places.roots["matrix", n] = row.entries()[cell.visit]
            self.places.roots["matrix", n, "visit"] = Node(cell.visit, row.keys[cell.visit])
            self.places.roots["matrix", n, "form"] = Node(cell.form, rows.keys[cell.form])

    def unplanned(self, problem: Problem) -> bool:
        """Say whether all that is wrong is that a form of the shelf is due at no visit."""
        return self.shelf and len(problem.spot) == 2 and problem.spot[0] == "forms"

    def vocabulary(self) -> Vocabulary:
        """Return the words that could unblind: the library's, none without a list."""
        path = self.library / "unblinding.yaml"
        words = self.shape(self.load(path), Vocabulary) if path.exists() else None
        return words or Vocabulary()

    def check(self, study: model.Study) -> None:
        """Add what the whole shows, but for what follows from a part already found wrong."""
        unreadable = located(self.builder.problems, self.places)
        unblinding = check_unblinding.problems(study, self.vocabulary())
        found = [
            problem
            for problem in (*problems(study, lost=frozenset(self.lost)), *unblinding)
            if not self.places.broken(problem.spot) and not self.unplanned(problem)
        ]
        self.findings.extend((*unreadable, *located(found, self.places)))
