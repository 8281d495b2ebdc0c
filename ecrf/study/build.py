"""From what was written (`authored`) to what it means (`model`)."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ecrf.kernel.text import T
from ecrf.study import adjudication, authored, consequences, model
from ecrf.study.expr import ExpressionError, parse
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Expression, ItemType

V = TypeVar("V")

YES_NO_LIST = "ny"


class Builder:
    """Builds the parts of one study; expressions that cannot be read become `problems`."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def expression(self, text: str | None, spot: Spot) -> Expression | None:
        if text is None:
            return None
        try:
            return Expression(text=text.strip(), tree=parse(text))
        except ExpressionError as error:
            reason = T("This expression cannot be used: {reason}.", reason=str(error))
            self.problems.append(Problem(spot, reason))
            return None

    def form(self, written: authored.Form) -> model.Form:
        here: Spot = ("forms", written.form)
        sections = [
            self.section(section, (*here, "sections", n))
            for n, section in enumerate(written.sections)
        ]
        checks = [
            self.check(check, (*here, "checks", n)) for n, check in enumerate(written.checks)
        ]
        return model.Form(
            id=written.form,
            title=written.title,
            intro=written.intro,
            repeating=written.repeating,
            double=written.double,
            signed=written.signed,
            sections=tuple(sections),
            checks=tuple(check for check in checks if check),
            source=written.source,
        )

    def section(self, written: authored.Section, here: Spot) -> model.Section:
        members = tuple(
            self.grid(member, (*here, "members", n))
            if isinstance(member, authored.Grid)
            else model.Item(**self.question(member, (*here, "members", n)))
            for n, member in enumerate(written.items)
        )
        return model.Section(title=written.title, intro=written.intro, members=members)

    def grid(self, written: authored.Grid, here: Spot) -> model.Grid:
        columns = tuple(
            model.Question(**self.question(column, (*here, "columns", n)))
            for n, column in enumerate(written.columns)
        )
        return model.Grid(
            id=written.grid,
            label=written.label,
            rows=written.rows,
            columns=columns,
            fill=_sorted(written.fill),
            fill_label=written.fill_label,
        )

    def question(self, written: authored.Question, here: Spot) -> dict[str, object]:
        units = tuple(
            model.Unit(name=name, factor=factor) for name, factor in written.units.items()
        )
        require = written.require
        codes = written.codes
        if codes is None and written.type is ItemType.YES_NO:
            codes = YES_NO_LIST
        return {
            **dict(written),
            "units": units,
            "codes": codes,
            "require": require
            if isinstance(require, bool)
            else self.expression(require, (*here, "require")) or False,
            "show": self.expression(written.show, (*here, "show")),
            "derive": self.expression(written.derive, (*here, "derive")),
        }

    def check(self, written: authored.Check, here: Spot) -> model.Check | None:
        when = self.expression(written.when, (*here, "when"))
        if when is None:
            return None
        cases = {
            "pass_": tuple(map(_sorted, written.pass_)),
            "fail": tuple(map(_sorted, written.fail)),
        }
        return model.Check(**{**dict(written), "when": when, **cases})

    def factor(self, written: authored.Factor, here: Spot) -> model.Factor | None:
        origin = (
            "site"
            if written.from_ == "site"
            else self.expression(written.from_, (*here, "from_"))
        )
        return model.Factor(**{**dict(written), "from_": origin}) if origin else None

    def randomization(
        self, written: authored.Randomization | None
    ) -> model.Randomization | None:
        if written is None:
            return None
        here: Spot = ("randomization",)
        eligible = self.expression(written.eligible, (*here, "eligible"))
        factors = [
            self.factor(factor, (*here, "factors", n))
            for n, factor in enumerate(written.factors)
        ]
        if eligible is None:
            return None
        return model.Randomization(
            **{
                **dict(written),
                "eligible": eligible,
                "factors": tuple(factor for factor in factors if factor),
                "ratio": _sorted(written.ratio),
            }
        )

    def adjudication(
        self, written: adjudication.Written | None
    ) -> adjudication.Adjudication | None:
        if written is None:
            return None
        here: Spot = ("adjudication",)
        when = self.expression(written.when, (*here, "when"))
        says = self.expression(written.site_says, (*here, "site_says"))
        if when is None or says is None:
            return None
        parts = {**dict(written), "when": when, "site_says": says}
        return adjudication.Adjudication(**parts)

    def endpoint(self, written: authored.Endpoint, here: Spot) -> model.Endpoint:
        derive = self.expression(written.derive, (*here, "derive"))
        return model.Endpoint(**{**dict(written), "derive": derive})

    def study(
        self,
        written: authored.Study,
        schedule: authored.Schedule,
        codelists: Mapping[str, model.CodeList],
        forms: Mapping[str, model.Form],
    ) -> model.Study:
        """Put the parts together. Nothing depends on the order of keys in a file."""
        randomization = self.randomization(written.randomization)
        consent = self.expression(written.consent, ("consent",))
        endpoints = [
            self.endpoint(endpoint, ("endpoints", n))
            for n, endpoint in enumerate(written.endpoints)
        ]
        return model.Study(
            **{
                **dict(written),
                "params": _sorted(written.params),
                "codelists": _sorted(codelists),
                "visits": tuple(model.VisitPlan(**dict(visit)) for visit in schedule.visits),
                "matrix": matrix(written, schedule),
                "forms": forms,
                "forms_to_come": _sorted(written.forms_to_come),
                "randomization": randomization,
                "supply": _supply(written.supply),
                "endpoints": tuple(endpoints),
                "consent": consent,
                "adjudication": self.adjudication(written.adjudication),
                "consequences": consequences.build(written.consequences, self),
            }
        )


def matrix(
    written: authored.Study, schedule: authored.Schedule
) -> tuple[model.Assessment, ...]:
    """Return the matrix by visit, and at a visit in the order in which forms are listed."""
    visits = {visit.id: n for n, visit in enumerate(schedule.visits)}
    forms = {form: n for n, form in enumerate((*written.forms, *sorted(written.forms_to_come)))}
    cells = [
        model.Assessment(form=form, visit=visit, need=authored.NEEDS[letter])
        for form, row in schedule.matrix.items()
        for visit, letter in row.items()
    ]
    last = len(cells)
    return tuple(
        sorted(
            cells,
            key=lambda a: (visits.get(a.visit, last), forms.get(a.form, last), a.visit, a.form),
        )
    )


def _sorted(mapping: Mapping[str, V]) -> dict[str, V]:
    return dict(sorted(mapping.items()))


def _supply(written: authored.Supply | None) -> model.Supply | None:
    if written is None:
        return None
    return model.Supply(**{**dict(written), "dispense": _sorted(written.dispense)})


def used_only(study: model.Study) -> model.Study:
    """Return the study without the code lists it never names: they are not part of it."""
    names = {study.missing_reasons, study.query_words.questions, study.query_words.answers}
    for form in study.forms.values():
        names.update(question.codes for question in questions(form) if question.codes)
    used = {name: codes for name, codes in study.codelists.items() if name in names}
    return study.model_copy(update={"codelists": used})


def questions(form: model.Form) -> Iterable[model.Question]:
    """Yield the items of a form and the columns of its grids."""
    for member in form.members():
        if isinstance(member, model.Grid):
            yield from member.columns
        else:
            yield member
