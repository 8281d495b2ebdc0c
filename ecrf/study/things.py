"""A study taken apart into named things with facts, to be compared. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from ecrf.kernel.text import T, Text
from ecrf.study import model
from ecrf.study.files import FileRule
from ecrf.study.labels import BOUNDS, LABELS
from ecrf.study.model import Expression, Limits, Words
from ecrf.study.unblinding import AcceptedHere

Key = tuple[str, ...]


class Fact(NamedTuple):
    """One thing said about a part: what it is about, and what is said."""

    about: Text
    value: Text | str


class Thing(NamedTuple):
    """A part of a study: what it is called, its form if any, its facts, its parts in order."""

    name: Text
    form: str | None
    facts: Mapping[Key, Fact]
    order: tuple[str, ...] = ()


def things(study: model.Study) -> dict[Key, Thing]:
    """Return every part of a study, by a key that stays while the part keeps its id."""
    return dict(_things(study))


def _things(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    order = tuple(study.forms)
    yield ("study",), Thing(T("the study"), None, _facts(study), order)
    for arm in study.arms:
        yield ("arm", arm.id), Thing(T("arm {arm}", arm=arm.id), None, _facts(arm))
    for site in study.sites:
        yield ("site", site.code), Thing(T("site {site}", site=site.code), None, _facts(site))
    for end in study.endpoints:
        name = T("endpoint {endpoint}", endpoint=end.id)
        yield ("endpoint", end.id), Thing(name, None, _facts(end))
    for listed in study.codelists.values():
        yield from _codes(listed)
    yield from _plan(study)
    yield from _design(study)
    yield from _consenting(study)
    yield from _adjudication(study)
    yield from _closed(study)
    yield from _consequences(study)
    yield from _review(study)
    yield from _laboratory(study)
    for form in study.forms.values():
        yield from _form(form)


def _codes(listed: model.CodeList) -> Iterator[tuple[Key, Thing]]:
    order = tuple(code.value for code in listed.codes)
    yield ("list", listed.id), Thing(T("code list {list}", list=listed.id), None, {}, order)
    for code in listed.codes:
        name = T("code {code} of list {list}", code=code.value, list=listed.id)
        yield ("list", listed.id, code.value), Thing(name, None, _facts(code))


def _plan(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    order = tuple(plan.id for plan in study.visits)
    yield ("visits",), Thing(T("the schedule"), None, {}, order)
    for plan in study.visits:
        yield ("visit", plan.id), Thing(T("visit {visit}", visit=plan.id), None, _facts(plan))
    for cell in study.matrix:
        name = T("form {form} at visit {visit}", form=cell.form, visit=cell.visit)
        facts: dict[Key, Fact] = {("need",): Fact(LABELS["need"], cell.need)}
        yield ("matrix", cell.form, cell.visit), Thing(name, cell.form, facts)


def _design(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    if study.supply is not None:
        yield ("supply",), Thing(T("the supply"), None, _facts(study.supply))
        name = T("the keeping of kits")
        yield ("stocking",), Thing(name, None, _facts(study.supply.stocking))
        if study.supply.label is not None:
            yield (
                ("kit label",),
                Thing(T("the label of kits"), None, _facts(study.supply.label)),
            )
        if study.supply.preparation is not None:
            name = T("the preparing of doses")
            yield ("preparation",), Thing(name, None, _facts(study.supply.preparation))
    design = study.randomization
    if design is None:
        return
    yield ("caps",), Thing(T("the caps of the randomization"), None, _facts(design.caps))
    order = tuple(factor.id for factor in design.factors)
    yield ("randomization",), Thing(T("the randomization"), None, _facts(design), order)
    for factor in design.factors:
        name = T("factor {factor}", factor=factor.id)
        levels = tuple(level.value for level in factor.levels)
        yield ("factor", factor.id), Thing(name, None, _facts(factor), levels)
        for level in factor.levels:
            part = T("level {level} of factor {factor}", level=level.value, factor=factor.id)
            yield ("factor", factor.id, level.value), Thing(part, None, _facts(level))


def _consenting(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    rule = study.consent_versions
    if rule is None:
        return
    order = tuple(version.id for version in rule.versions)
    name = T("the versions of the consent form")
    yield ("consent versions",), Thing(name, rule.form, _facts(rule), order)
    for version in rule.versions:
        part = T("version {version} of the consent form", version=version.id)
        yield ("consent version", version.id), Thing(part, rule.form, _facts(version))


def _adjudication(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    rule = study.adjudication
    if rule is None:
        return
    parts: dict[str, tuple[Text, BaseModel]] = {
        "adjudication": (T("the adjudication"), rule),
        "dossier": (T("the dossier"), rule.dossier),
        "agreement": (T("the rule of agreement"), rule.agreement),
        "timers": (T("the times of the adjudication"), rule.timers),
    }
    for key, (name, part) in parts.items():
        yield ("adjudication", key), Thing(name, None, _facts(part))


def _closed(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    rule = study.closed
    if rule is None:
        return
    yield ("closed",), Thing(T("the closed reports"), None, _facts(rule))
    for part in ("first_dose", "treatment", "study", "events", "death"):
        inner = getattr(rule, part)
        if inner is not None:
            name = T("{part} of the closed reports", part=LABELS[part])
            yield ("closed", part), Thing(name, inner.form, _facts(inner))


def _consequences(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    follow = study.consequences
    for condition in follow.conditions:
        name = T("condition of form {form}", form=condition.form)
        key = ("condition", condition.form, ",".join(condition.visits))
        yield key, Thing(name, condition.form, _facts(condition))
    for kind in ("effects", "prompts", "clocks", "deviations"):
        for part in getattr(follow, kind):
            name = T("{id}, which follows from form {form}", id=part.id, form=part.form)
            yield ("consequence", kind, part.id), Thing(name, part.form, _facts(part))
    if follow.wrong_stratum is not None:
        name = T("the deviation of a wrong stratum")
        yield ("consequence", "wrong_stratum"), Thing(name, None, _facts(follow.wrong_stratum))


def _review(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    plan = study.verification
    name = T("the plan of verification")
    yield ("verification",), Thing(name, None, _facts(plan) | _facts(plan.default))
    for n, rule in enumerate(plan.rules, start=1):
        name = T("rule {n} of the plan of verification", n=n)
        yield ("verification", str(n)), Thing(name, rule.form, _facts(rule))
    for point in study.milestones:
        name = T("milestone {milestone}", milestone=point.id)
        yield ("milestone", point.id), Thing(name, None, _facts(point))
    words = T("the ready-made words of queries")
    for n, accepted in enumerate(study.unblinding, start=1):
        name = T("place {n} accepted although it could unblind", n=n)
        yield ("unblinding", str(n)), Thing(name, None, _facts(accepted))
    yield ("signing",), Thing(T("the way of signing"), None, _facts(study.signing))
    yield ("code break",), Thing(T("the code break"), None, _facts(study.code_break))
    yield ("query words",), Thing(words, None, _facts(study.query_words))


def _laboratory(study: model.Study) -> Iterator[tuple[Key, Thing]]:
    part = study.laboratory
    if part is None:
        return
    yield ("laboratory",), Thing(T("the laboratory results"), None, _facts(part))
    for analyte in part.analytes:
        name = T("analyte {analyte}", analyte=analyte.id)
        yield ("laboratory", analyte.id), Thing(name, analyte.form, _facts(analyte))
        for n, row in enumerate(analyte.toxicity, start=1):
            inner = T("row {n} of the grades of {analyte}", n=n, analyte=analyte.id)
            steps = ", ".join(f"{s.grade}: {s.to or '…'}" for s in row.steps)
            facts = {**_facts(row), ("steps",): Fact(LABELS["steps"], steps)}
            yield ("laboratory", analyte.id, str(n)), Thing(inner, analyte.form, facts)
    for alert in part.alerts:
        name = T("alert of check {check}", check=alert.check)
        yield ("alert", alert.check), Thing(name, alert.form, _facts(alert))


def _form(form: model.Form) -> Iterator[tuple[Key, Thing]]:
    order = tuple(member.id for member in form.members())
    yield ("form", form.id), Thing(T("form {form}", form=form.id), form.id, _facts(form), order)
    for n, section in enumerate(form.sections, start=1):
        name = T("section {n} of form {form}", n=n, form=form.id)
        yield ("section", form.id, str(n)), Thing(name, form.id, _facts(section))
        for member in section.members:
            if isinstance(member, model.Grid):
                yield from _grid(form.id, member)
            else:
                name = T("item {item} of form {form}", item=member.id, form=form.id)
                yield ("item", form.id, member.id), Thing(name, form.id, _facts(member))
    for check in form.checks:
        name = T("check {check} of form {form}", check=check.id, form=form.id)
        yield ("check", form.id, check.id), Thing(name, form.id, _facts(check))


def _grid(form: str, grid: model.Grid) -> Iterator[tuple[Key, Thing]]:
    name = T("grid {grid} of form {form}", grid=grid.id, form=form)
    rows = tuple(row.id for row in grid.rows)
    yield ("grid", form, grid.id), Thing(name, form, _facts(grid), rows)
    for row in grid.rows:
        name = T("row {row} of grid {grid} of form {form}", row=row.id, grid=grid.id, form=form)
        yield ("grid", form, grid.id, "row", row.id), Thing(name, form, _facts(row))
    for column in grid.columns:
        name = T(
            "column {column} of grid {grid} of form {form}",
            column=column.id,
            grid=grid.id,
            form=form,
        )
        yield ("grid", form, grid.id, "column", column.id), Thing(name, form, _facts(column))


def _facts(part: BaseModel) -> dict[Key, Fact]:
    """Return what is said about a part itself, not about the things inside it."""
    found: dict[Key, Fact] = {}
    for name in type(part).model_fields:
        found.update(_fact((name,), LABELS[name], getattr(part, name)))
    return found


def _fact(key: Key, about: Text, value: object) -> Iterator[tuple[Key, Fact]]:
    match value:
        case None | False:
            return
        case True:
            yield key, Fact(about, T("yes"))
        case Words():
            yield (*key, "en"), Fact(T("{about} in English", about=about), value.en)
            yield (*key, "zh"), Fact(T("{about} in Chinese", about=about), value.zh)
        case Limits():
            yield from _bounds(key, value)
        case FileRule() | AcceptedHere():
            for name in type(value).model_fields:
                yield from _fact((*key, name), LABELS[name], getattr(value, name))
        case Expression():
            yield key, Fact(about, value.text)
        case Enum():
            yield key, Fact(about, str(value.value))
        case str() | int() | Decimal() | date():
            yield key, Fact(about, str(value))
        case Mapping():
            for name, inner in value.items():
                part = T("{about} of {name}", about=about, name=name)
                yield from _fact((*key, str(name)), part, inner)
        case tuple():
            yield from _several(key, about, value)


def _several(key: Key, about: Text, parts: tuple[object, ...]) -> Iterator[tuple[Key, Fact]]:
    """Texts in a list are one fact, units one each; things with an id stand for themselves."""
    if all(isinstance(part, str) for part in parts):
        if parts:
            yield key, Fact(about, ", ".join(map(str, parts)))
        return
    for n, part in enumerate(parts, start=1):
        if isinstance(part, model.Unit):
            name = T("{about} of {name}", about=about, name=part.name)
            yield (*key, part.name), Fact(name, str(part.factor))
        elif isinstance(part, Words):
            numbered = T("{about} {n}", about=about, n=n)
            yield from _fact((*key, str(n)), numbered, part)


def _bounds(key: Key, limits: Limits) -> Iterator[tuple[Key, Fact]]:
    for name, pair in (("hard", limits.hard), ("soft", limits.soft)):
        if pair is not None:
            for end, about, value in zip(("low", "high"), BOUNDS[name], pair, strict=True):
                yield (*key, name, end), Fact(about, str(value))
