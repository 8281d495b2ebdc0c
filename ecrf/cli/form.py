"""`ecrf form`: what the program makes of answers, without saving them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import click

from ecrf.cli.installation import configured
from ecrf.kernel.errors import Problem, Refused
from ecrf.kernel.text import T, Text
from ecrf.study import shipped
from ecrf.study.model import Cell, Form, ItemType, Study
from ecrf.study.spelling import suggest
from forms.flat import given, shown
from forms.laboratory import sheet
from forms.laboratory.ranges import Range
from forms.plan import plan
from forms.surroundings import Surroundings, of_age, place, plan_of


class Odd(click.ClickException):
    """Something that was given cannot be taken."""

    exit_code = 2


@click.group()
def form() -> None:
    """Forms of a study, tried without saving."""


@form.command("try")
@click.argument("study")
@click.argument("form_id", metavar="FORM")
@click.argument("answers", type=click.File("rb"))
@click.option("--visit", help="Visit of the schedule, such as SCR. Default: the form's first.")
@click.option("--context", type=click.File("rb"), help="JSON of what stands elsewhere.")
@click.option("--sex", help="What every path ending in .sex reads, such as F.")
@click.option(
    "--age", type=click.IntRange(0, 130), help="What every path ending in .age reads."
)
@click.option(
    "--ranges", type=click.File("rb"), help="CSV of reference ranges results are judged by."
)
def try_(
    study: str,
    form_id: str,
    answers: IO[bytes],
    visit: str | None,
    context: IO[bytes] | None,
    sex: str | None,
    age: int | None,
    ranges: IO[bytes] | None,
) -> None:
    """Print what saving ANSWERS on FORM of STUDY would do.

    STUDY is the id of a study at hand or the folder of one; FORM is one of its forms or of the
    library. ANSWERS is a JSON file, or - for
    standard input, with one flat object: "item" or "ROW.column" for an answer, "item.unit" for
    its unit, "item.missing" for the reason why it is missing.

    The context is a flat JSON object too. "form.item" is the answer of that form at the same
    visit and the latest one; "VISIT.form.item" and "previous.form.item" stand for themselves,
    as do "visit_date", "randomized_on", "site" and "param.name". "range.ALT.low" and
    "range.ALT.high" are the limits the analyte is judged by; --ranges has a whole table of
    them, as data management loads it. A result is judged once the day of its sample is known.

    --sex and --age answer every path whose last part is sex or age, in FORM and elsewhere; the
    years since a birth date that is given nowhere are then AGE, whatever they are counted to.

    Printed is JSON: canonical "answers", "derived" values (null while unknown), "findings".
    Exit status: 0, or 2 with a message for each thing that would be refused.
    """
    known = _study(study, form_id)
    tried = _form(known, form_id)
    around = Surroundings(known, _visit(known, tried, visit))
    typed = _flat("ANSWERS", answers, tried.cells.get)
    around.read(_beside(known, context))
    around.ranges += _ranges(known, ranges)
    if sex is not None:
        around.state(tried, "sex", sex)
    if age is not None:
        around.state(tried, "age", str(age))
        around.born(tried, age, typed)
        tried = of_age(known, tried, age, {**typed, **around.overrides})
    _refuse(around.problems)
    made = plan(known, tried, {}, given(tried, typed), around.context())
    _refuse(made.refusals)
    click.echo(
        json.dumps(shown(tried, made, configured().locale), ensure_ascii=False, indent=2)
    )


def _ranges(study: Study, file: IO[bytes] | None) -> Sequence[Range]:
    """Read a table of ranges; one with a wrong line is refused."""
    if file is None:
        return ()
    try:
        found = sheet.read(file.read().decode("utf-8-sig").splitlines(), study)
    except UnicodeDecodeError:
        raise _odd(T("The table is not written in UTF-8. Save it as CSV UTF-8.")) from None
    _refuse([Problem(f"--ranges {p.item}", p.message) for p in found.problems])
    return found.ranges


def _study(named: str, form_id: str) -> Study:
    """Return the study; with the forms of its library when it has no form `form_id` itself."""
    folder = Path(named)
    try:
        if not (folder / "study.yaml").is_file():
            folder = shipped.folder(configured(), named)
        found = shipped.usable(shipped.reading(folder))
    except Refused as refusal:
        _refuse(refusal.problems or [Problem("STUDY", refusal.message)])
        raise
    shelf = None if form_id in found.forms else shipped.shelf(folder).study
    return shelf if shelf is not None and form_id in shelf.forms else found


def _form(study: Study, form_id: str) -> Form:
    if form_id in study.forms:
        return study.forms[form_id]
    if form_id in study.forms_to_come:
        raise _odd(
            T("The form {form} is in the schedule, but not defined yet.", form=form_id),
        )
    message = T(
        "The study {study} has no form {form}. Its forms are {known}.",
        study=study.id,
        form=form_id,
        known=", ".join(study.forms),
    )
    raise _odd(suggest(message, form_id, study.forms))


def _visit(study: Study, form: Form, asked: str | None) -> str:
    planned = [cell.visit for cell in study.matrix if cell.form == form.id]
    key = asked or next(iter(planned), "")
    if asked and plan_of(study, asked) not in study.visit:
        message = T(
            "The study {study} has no visit {visit}. Its visits are {known}.",
            study=study.id,
            visit=asked,
            known=", ".join(study.visit),
        )
        raise _odd(suggest(message, asked, study.visit))
    return key


def _beside(study: Study, file: IO[bytes] | None) -> dict[str, str]:
    def cell(path: str) -> Cell | None:
        found = place(study, path)
        return found[1] if found else None

    return _flat("--context", file, cell) if file else {}


def _flat(name: str, file: IO[bytes], cell: Callable[[str], Cell | None]) -> dict[str, str]:
    """Read one flat JSON object; numbers keep the digits they are written with."""
    try:
        pairs = json.loads(
            file.read().decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=tuple,
        )
    except (ValueError, RecursionError) as error:
        raise _odd(T("{file} is no JSON: {error}", file=name, error=str(error)[:200])) from None
    if not isinstance(pairs, tuple):
        raise _odd(
            T(
                "{file} must hold one flat object, such as {example}.",
                file=name,
                example='{"sbp": "120"}',
            )
        )
    found: dict[str, str] = {}
    for path, said in pairs:
        if path in found:
            raise _odd(T("“{path}” is given twice.", path=path[:80]))
        found[path] = _text(path, said, cell(path))
    return found


def _text(path: str, said: object, cell: Cell | None) -> str:
    kind = cell.question.type if cell else None
    if isinstance(said, str):
        return said
    if said is None:
        return ""
    if isinstance(said, bool) and kind is ItemType.YES_NO:
        return "Y" if said else "N"
    if isinstance(said, list) and said and all(isinstance(one, str) for one in said):
        return ",".join(said)
    raise _odd(T("“{path}” must be a text, such as {example}.", path=path[:80], example='"12"'))


def _odd(message: Text) -> Odd:
    return Odd(message.in_(configured().locale))


def _refuse(problems: Sequence[Problem]) -> None:
    """End the command with one line for each problem, if there are any."""
    if problems:
        locale = configured().locale
        raise Odd("\n".join(f"{p.item}: {p.message.in_(locale)}" for p in problems))
