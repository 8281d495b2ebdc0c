"""A form of a study as a WTForms form, made at run time from the definition.

Each item is up to three inputs: `key`, `key.unit` and `key.missing`. What is wrong with an
input is said by `forms.answers.read`, so that pages, the programs' interface and imports say
the same. Rendering is not done by WTForms widgets: they cost forty times the plain inputs.
"""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import SelectMultipleField, StringField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, Form, ItemType, Study
from forms.answers import Answer, Given, called, read

UNIT = ".unit"
MISSING = ".missing"
LONGEST = 4000
CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})


class EntryForm(BaseForm):  # type: ignore[misc]
    """One form of a study, with what was stored or typed."""

    def __init__(self, study: Study, form: Form, answers: Mapping[str, Answer]) -> None:
        self.study = study
        self.answers = answers
        self.cells = {key: cell for key, cell in form.cells.items() if typable(cell)}
        fields: dict[str, Any] = {"seen_version": StringField(), "reason": StringField()}
        for cell in self.cells.values():
            fields.update(_fields(cell, study))
        super().__init__(fields)

    def given(self) -> dict[str, Given]:
        """Return what stands in the inputs, by item."""
        return {key: self._as_stored(key, self.given_for(key)) for key in self.cells}

    def _as_stored(self, key: str, given: Given) -> Given:
        """Return a chosen code as it is stored when it is the same: ticking changes no text."""
        stored = self.answers.get(key)
        coded = self.cells[key].question.type in CODED
        if stored is None or not coded or given.text != stored.value:
            return given
        return given._replace(text=stored.text)

    def given_for(self, key: str) -> Given:
        return Given(self._text(key), self._text(key + UNIT), self._text(key + MISSING))

    @property
    def seen_version(self) -> int:
        """The version the person was looking at; nonsense counts as never seen."""
        text = self._text("seen_version")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1

    @property
    def reason(self) -> str:
        return self._text("reason")

    def problems(self) -> list[Problem]:
        """Return what is wrong, in the order of the page; empty before `validate`."""
        return [
            Problem(key, message)
            for key in self.cells
            for message in self[key].errors
            if isinstance(message, Text)
        ]

    def _text(self, name: str) -> str:
        if name not in self:
            return ""
        data = self[name].data
        return ",".join(data) if isinstance(data, list) else (data or "")


def build(
    study: Study,
    form: Form,
    answers: Mapping[str, Answer],
    formdata: MultiDict[str, str] | None,
) -> EntryForm:
    """Return the form filled with what was typed; with None, with the stored answers."""
    made = EntryForm(study, form, answers)
    if formdata is None:
        made.process(data=_stored(made, answers))
    else:
        made.process(formdata)
    return made


def typable(cell: Cell) -> bool:
    """Say whether a person answers the cell: it is neither a note nor computed."""
    return cell.question.type is not ItemType.NOTE and cell.question.derive is None


def _fields(cell: Cell, study: Study) -> dict[str, Any]:
    several = cell.question.type is ItemType.CHOICES
    kind = SelectMultipleField if several else StringField
    more = {"validate_choice": False, "choices": []} if several else {}
    fields = {cell.key: kind(validators=[_Readable(cell, study)], **more)}
    if cell.question.units:
        fields[cell.key + UNIT] = StringField()
    if cell.question.missing:
        fields[cell.key + MISSING] = StringField()
    return fields


def inputs(cell: Cell, answer: Answer | None) -> dict[str, str | list[str]]:
    """Return what stands in the inputs of a cell that has this answer, by their names."""
    answer = answer or Answer()
    shown: str | list[str] = answer.value if cell.question.type in CODED else answer.text
    if cell.question.type is ItemType.CHOICES:
        shown = answer.value.split(",") if answer.value else []
    return {cell.key: shown, cell.key + UNIT: answer.unit, cell.key + MISSING: answer.missing}


def _stored(made: EntryForm, answers: Mapping[str, Answer]) -> dict[str, object]:
    data: dict[str, object] = {}
    for key, cell in made.cells.items():
        data |= inputs(cell, answers.get(key))
    return data


class _Readable:
    """The validator of every item: what was given can be read, or is blank."""

    def __init__(self, cell: Cell, study: Study) -> None:
        self.cell = cell
        self.study = study

    def __call__(self, form: EntryForm, _field: object) -> None:
        given = form.given_for(self.cell.key)
        if given.blank:
            return
        if len(given.text) > LONGEST:
            raise ValidationError(
                T(
                    "{label}: has {length} characters. At most {most} are kept.",
                    label=called(self.cell), length=len(given.text),
                    most=self.cell.question.max_length,
                )
            )  # fmt: skip
        found = read(self.cell, given, self.study)
        if isinstance(found, Problem):
            raise ValidationError(found.message)
