"""Tries a form of the shipped study: what saving answers would compute, find and refuse."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from ecrf.study import shipped
from forms.context import Entered
from forms.flat import given, shown
from forms.plan import plan
from forms.surroundings import Surroundings, of_age

STUDY_ID = "nct05974683"
ROWS = [
    "MENINGES",
    "PITUITARY",
    "ORBIT",
    "LACRIMAL",
    "PAROTID",
    "SUBMAND",
    "OTHSALIV",
    "MASTOID",
    "NASAL",
    "SINUS",
    "OTHENT",
    "THYROID",
    "LUNG",
    "LN",
    "AORTA",
    "HEART",
    "RPF",
    "MEDIAST",
    "MESENT",
    "PANCREAS",
    "BILEDUCT",
    "LIVER",
    "KIDNEY",
    "SKIN",
    "CONST",
    "OTHER1",
    "OTHER2",
]


class Tried(NamedTuple):
    """`found` has (rule, item) of what is doubtful, `refused` what cannot be saved."""

    answers: dict
    derived: dict
    found: set
    refused: dict

    def rules(self, item):
        return {rule for rule, place in self.found if place == item}


@cache
def as_shipped():
    return shipped.load(STUDY_ID)


@cache
def study(**params):
    return as_shipped().model_copy(update={"params": {**as_shipped().params, **params}})


@cache
def shelf():
    """Return the study with the forms of the library it does not use."""
    return shipped.shelf(shipped.folder(None, STUDY_ID)).study


def tried(form_id, answers, *, visit="", context=None, sex=None, age=None, **more):
    """Return what saving `answers` would do; `more` has params and other entries."""
    of = study(**more.get("params", {}))
    of = of if form_id in of.forms else shelf()
    form = of.forms[form_id]
    planned = next((cell.visit for cell in of.matrix if cell.form == form_id), "SCR")
    around = Surroundings(of, visit or planned)
    around.read(context or {})
    if sex:
        around.state(form, "sex", sex)
    if age is not None:
        around.state(form, "age", str(age))
        form = of_age(of, form, age, {**answers, **(context or {})})
    assert not around.problems, around.problems
    where = around.context()
    where = replace(where, order=10, entries=(*where.entries, *more.get("entries", ())))
    made = plan(of, form, more.get("stored", {}), given(form, answers), where)
    told = shown(form, made, "en")
    found = {(finding["rule"], finding["item"]) for finding in told["findings"]}
    refused = {problem.item: problem.message.in_("en") for problem in made.refusals}
    return Tried(told["answers"], told["derived"], found, refused)


def entered(form_id, answers, *, visit, order, number=1, context=None, beside=()):
    """Return another entry of the participant, as saving it would have left it."""
    of = study()
    form = of.forms[form_id]
    around = Surroundings(of, visit)
    around.read(context or {})
    where = replace(around.context(), order=order, entries=beside)
    made = plan(of, form, {}, given(form, answers), where)
    assert not made.refusals, made.refusals
    return Entered(visit, visit, order, form_id, number, made.answers, settled=True)


def organs(scores="", *, rest="0", rows=ROWS):
    """Return answers of the RI; `scores` is such as `PANCREAS 2 U S; RPF 0 D`."""
    answers = {f"{row}.score": rest for row in rows if rest}
    answers |= {f"{row}.damage": "N" for row in rows if row != "CONST"}
    for part in filter(None, (part.strip() for part in scores.split(";"))):
        row, score, *marks = part.split()
        answers[f"{row}.score"] = score
        for mark, column in (("U", "urgent"), ("D", "damage"), ("S", "symptomatic")):
            if mark in marks:
                answers[f"{row}.{column}"] = "Y"
            elif int(score) >= 1 and not (row == "CONST" and column == "damage"):
                answers[f"{row}.{column}"] = "N"
    return answers
