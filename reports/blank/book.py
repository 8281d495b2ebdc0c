"""Blank papers of a study: one form, a visit, the whole book, or the annotated forms.

The same definition makes the same bytes. The annotated papers have every form once, with the
visits it is filled at, its checks, and the data dictionary of its columns.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reportlab.platypus import Flowable

from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import Message, T
from ecrf.study.model import Form, Study, VisitPlan
from reports import dictionary, paper, shape
from reports.blank import wording
from reports.blank.pieces import Answer, Piece
from reports.blank.sheet import Sheet
from reports.blank.wording import Language, Tongue
from reports.casebook import WATERMARK
from reports.outline import Mark
from reports.paper import Head, Lines, heading, next_page, space, table

SHOWN = ("column", "type", "codes", "unit", "label_en", "required", "sdtm")


class Asked(NamedTuple):
    """What is to be printed; an empty form or visit means every one."""

    form: str = ""
    visit: str = ""
    annotated: bool = False
    language: Language = "en"
    fillable: bool = False

    @property
    def name(self) -> str:
        """Return the file's name."""
        kind = "annotated" if self.annotated else "fillable" if self.fillable else "blank"
        return "-".join(part for part in (kind, self.visit, self.form, self.language) if part)


class Leaf(NamedTuple):
    """One form to be printed, at a visit or, annotated, at all of them."""

    form: Form
    visit: VisitPlan | None


def leaves(study: Study, asked: Asked) -> list[Leaf]:
    """Return what is printed, in the order of visits and forms; else NotFound."""
    found: list[Leaf] = []
    if asked.annotated or (asked.form and not asked.visit):
        wanted = {a.form for a in study.matrix if asked.visit in ("", a.visit)}
        found = [
            Leaf(form, study.visit.get(asked.visit))
            for form in study.forms.values()
            if form.id in wanted and asked.form in ("", form.id)
        ]
    else:
        for plan in study.visits:
            if asked.visit in ("", plan.id):
                found += [
                    Leaf(study.forms[a.form], plan)
                    for a in study.forms_at(plan.id)
                    if a.form in study.forms and asked.form in ("", a.form)
                ]
    if not found:
        raise NotFound(T("The study has no such form or visit to be printed."))
    return found


def draw(study: Study, fingerprint: str, asked: Asked, *, training: bool = False) -> bytes:
    """Return the PDF."""
    paper.fonts()
    pen = _Pen(study, fingerprint, asked, Tongue(asked.language))
    found = leaves(study, asked)
    first = pen.head(found[0])
    story: list[Flowable] = []
    visit = None
    for number, leaf in enumerate(found):
        story += next_page(pen.head(leaf)) if number else []
        below = leaf.visit is not None and not asked.annotated
        if leaf.visit is not None and below and leaf.visit is not visit:
            story.append(Mark(pen.tongue.short(leaf.visit.label)))
        visit = leaf.visit
        story.append(Mark(pen.tongue.short(leaf.form.title), 1 if below else 0))
        story += pen.leaf(leaf)
    if asked.annotated:
        story += pen.appendix([leaf.form for leaf in found])
    water = WATERMARK.in_("zh" if asked.language == "zh" else "en") if training else ""
    title = f"{study.id} {asked.name}"
    return paper.document(title, first, story, pen.foot(), water)


class _Pen(NamedTuple):
    study: Study
    fingerprint: str
    asked: Asked
    tongue: Tongue

    def head(self, leaf: Leaf | None, title: str = "") -> Head:
        study = self.study
        left = f"{study.registry} · {self.tongue.short(study.short_title)}"
        pages = self.tongue.short(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        if leaf is not None:
            title = self.tongue.short(leaf.form.title)
            if leaf.visit is not None:
                title = f"{self.tongue.short(leaf.visit.label)} · {title}"
        return Head(left, pages, title)

    def foot(self) -> str:
        kind = T("Annotated form") if self.asked.annotated else T("Blank form")
        said = T(
            "{kind} · definition {version} · SHA-256 {print}",
            kind=kind, version=self.study.version, print=self.fingerprint,
        )  # fmt: skip
        star = T("* an answer is required · one sign in each box · tick what applies")
        return f"{self.tongue.short(said)}\n{self.tongue.short(star)}"

    def leaf(self, leaf: Leaf) -> Iterator[Flowable]:
        prefix = ""
        if self.asked.fillable:
            prefix = f"{leaf.visit.id if leaf.visit else ''}.{leaf.form.id}."
        if self.asked.annotated:
            visits = [a.visit for a in self.study.matrix if a.form == leaf.form.id]
            where = T("Visits: {visits}", visits=", ".join(visits))
            yield Lines(self.tongue.short(where), 7.5)
        else:
            yield self._where(leaf, prefix)
        sheet = Sheet(
            self.study, leaf.form, self.tongue, annotated=self.asked.annotated, prefix=prefix
        )
        yield from sheet.story()
        if self.asked.annotated:
            yield from self._checks(leaf.form)

    def _where(self, leaf: Leaf, prefix: str) -> Flowable:
        """Return the line in which whose paper it is gets written."""
        names = [self.tongue.short(text) for text in wording.WHERE]
        at = self.tongue.short(leaf.visit.label) if leaf.visit else ""
        pieces = [
            Piece("text", names[0]), Piece("line", "28", name="participant"),
            Piece("text", names[1]), Piece("line", "16", name="site"),
            Piece("text", names[2]),
            Piece("text", at) if at else Piece("line", "24", name="visit"),
            Piece("text", names[3]), Piece("comb", "YYYY-MM-DD", name="date"),
        ]  # fmt: skip
        if leaf.form.repeating:
            pieces += [
                Piece("text", self.tongue.short(T("No."))),
                Piece("comb", "99", name="no"),
            ]
        return Answer(pieces, prefix)

    def _checks(self, form: Form) -> Iterator[Flowable]:
        if not form.checks:
            return
        yield space(10)
        yield from heading(self.tongue.short(T("Checks")), 10)
        rows = [[self.tongue.short(title) for title in wording.CHECKS]]
        for check in form.checks:
            severity = self.tongue.short(wording.SEVERITY[check.severity])
            message = self.tongue.say(check.message)
            rows.append([check.id, check.item, check.when.text, severity, message])
        yield table(rows, (2, 3, 6, 2, 6))

    def appendix(self, forms: Sequence[Form]) -> Iterator[Flowable]:
        """Yield the data dictionary of the forms and the lists of codes they use."""
        title = self.tongue.short(T("Data dictionary"))
        yield from next_page(self.head(None, title))
        yield Mark(title)
        yield from heading(title, 13)
        ids = {form.id for form in forms}
        used: set[str] = set()
        for one in shape.tables((self.study,)):
            if one.form.id in ids:
                lines = list(dictionary.lines([one]))
                used |= {line[dictionary.HEADER.index("codes")] for line in lines}
                yield space(8)
                yield from heading(f"data/{one.name}.csv", 9.5)
                yield table([self._titles(wording.DICTIONARY), *_picked(lines)], DICTIONARY)
        title = self.tongue.short(T("Code lists"))
        yield from next_page(self.head(None, title))
        yield Mark(title)
        yield from heading(title, 13)
        codes = [line[:4] for line in dictionary.code_lines(self.study) if line[0] in used]
        yield table([self._titles(wording.CODES), *codes], (3, 3, 6, 6))

    def _titles(self, titles: Sequence[Message]) -> list[str]:
        return [self.tongue.short(title) for title in titles]


DICTIONARY = (4, 2, 3, 2, 6, 4, 5)


def _picked(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the columns of the dictionary that are printed."""
    at = [dictionary.HEADER.index(name) for name in SHOWN]
    return [[line[number] for number in at] for line in lines]
