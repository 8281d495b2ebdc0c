"""Do schedule, randomization and supply fit together, and could a text unblind?"""

from collections.abc import Iterable, Iterator
from itertools import combinations
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ecrf.kernel.text import T
from ecrf.study.check_forms import repeated, unusable
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Randomization, Study, Supply, VisitKind, VisitPlan, Words
from ecrf.study.spelling import suggest


def problems(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    yield from _identities(study)
    yield from _names(study)
    yield from _visits(study)
    yield from _matrix(study, lost)
    yield from _sites(study)
    if study.randomization is not None:
        yield from _randomization(study, study.randomization)
        if study.randomization.form not in lost:
            yield from _deciding_form(study, study.randomization)
    yield from _supply(study)
    yield from _unblinding(study)


def _identities(study: Study) -> Iterator[Problem]:
    design = study.randomization
    yield from repeated((("arms", n, "id"), arm.id) for n, arm in enumerate(study.arms))
    yield from repeated((("sites", n, "code"), s.code) for n, s in enumerate(study.sites))
    yield from repeated((("visits", n, "id"), v.id) for n, v in enumerate(study.visits))
    yield from repeated((("endpoints", n, "id"), e.id) for n, e in enumerate(study.endpoints))
    for name, codelist in study.codelists.items():
        yield from repeated(
            (("codelists", name, "codes", n, "value"), code.value)
            for n, code in enumerate(codelist.codes)
        )
    for n, factor in enumerate(design.factors if design else ()):
        here: Spot = ("randomization", "factors", n)
        yield from repeated(
            ((*here, "levels", c, "value"), level.value)
            for c, level in enumerate(factor.levels)
        )
        if (factor.from_ == "site") is bool(factor.levels):
            message = T("Levels are named for an expression, never for the site.")
            yield Problem((*here, "levels"), message)
    yield from repeated(
        (("randomization", "factors", n, "id"), f.id)
        for n, f in enumerate(design.factors if design else ())
    )


def _names(study: Study) -> Iterator[Problem]:
    """The first part of a path must mean one thing only."""
    for name in study.forms:
        yield from unusable(("forms", name, "form"), name)
    for n, visit in enumerate(study.visits):
        yield from unusable(("visits", n, "id"), visit.id)
        if visit.id in study.forms or visit.id in study.forms_to_come:
            message = T("{name} is a form and a visit.", name=visit.id)
            yield Problem(("visits", n, "id"), message)
    for name in study.forms_to_come:
        if name in study.forms:
            message = T("The form {name} is defined already.", name=name)
            yield Problem(("forms_to_come", name), message)


def _visits(study: Study) -> Iterator[Problem]:
    for n, plan in enumerate(study.visits):
        yield from _visit(("visits", n), plan)
    anchored: dict[str, list[tuple[int, VisitPlan]]] = {}
    for n, plan in enumerate(study.visits):
        if plan.kind is VisitKind.PLANNED and plan.day is not None:
            anchored.setdefault(plan.anchor, []).append((n, plan))
    for plans in anchored.values():
        for (_, first), (n, second) in combinations(plans, 2):
            yield from _pair(("visits", n), first, second)


def _visit(spot: Spot, plan: VisitPlan) -> Iterator[Problem]:
    planned = plan.kind is VisitKind.PLANNED
    counted = plan.day is not None or plan.months is not None
    if planned and not counted:
        yield Problem(spot, T("The planned visit {visit} needs a day.", visit=plan.id))
    if plan.months is not None and (plan.day is not None or plan.anchor == "randomization"):
        message = T("months stands instead of day, and never counts from the randomization.")
        yield Problem((*spot, "months"), message)
    if planned and plan.repeating:
        message = T("The planned visit {visit} cannot repeat.", visit=plan.id)
        yield Problem((*spot, "repeating"), message)
    if not planned and (counted or plan.before or plan.after):
        yield Problem(spot, T("{visit} is not planned; it has no window.", visit=plan.id))
    if plan.day == 0 and plan.anchor == "randomization":
        message = T("There is no day 0: the day of randomization is day 1.")
        yield Problem((*spot, "day"), message)
    for key, days in (("before", plan.before), ("after", plan.after)):
        if days < 0:
            yield Problem((*spot, key), T("{key} counts days; it is never negative.", key=key))
    if plan.within is not None and (plan.kind is not VisitKind.EVENT or plan.within < 0):
        message = T("within is for event visits: the days in which they are due.")
        yield Problem((*spot, "within"), message)


def _pair(spot: Spot, first: VisitPlan, second: VisitPlan) -> Iterator[Problem]:
    if _target(second) <= _target(first):
        message = T(
            "{visit} is listed after {other}, but is not later.",
            visit=second.id,
            other=first.id,
        )
        yield Problem((*spot, "day"), message)
    elif _target(second) - second.before <= _target(first) + first.after:
        message = T(
            "The window of {visit} begins before that of {other} has ended.",
            visit=second.id,
            other=first.id,
        )
        yield Problem(spot, message, "warning")


def _target(plan: VisitPlan) -> int:
    """Return the target as a number of days on a line that has no gap."""
    day = plan.day or 0
    return day - 1 if day > 0 and plan.anchor == "randomization" else day


def _matrix(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    forms = (*study.forms, *study.forms_to_come, *lost)
    for n, cell in enumerate(study.matrix):
        if cell.visit not in study.visit:
            message = T("The schedule has no visit {name}.", name=cell.visit)
            yield Problem(("matrix", n, "visit"), suggest(message, cell.visit, study.visit))
        if cell.form not in forms:
            message = T("The study has no form {form}.", form=cell.form)
            yield Problem(("matrix", n, "form"), suggest(message, cell.form, forms))
    planned = {cell.form for cell in study.matrix}
    if study.adjudication is not None:
        planned.add(study.adjudication.vote)
    for name in study.forms:
        if name not in planned:
            message = T("The form {name} is due at no visit.", name=name)
            yield Problem(("forms", name), message, "warning")
    for name in study.forms_to_come:
        if name not in planned:
            message = T("The form {name} is due at no visit.", name=name)
            yield Problem(("forms_to_come", name), message, "warning")


def _sites(study: Study) -> Iterator[Problem]:
    for n, site in enumerate(study.sites):
        try:
            ZoneInfo(site.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = T("There is no time zone {zone}.", zone=site.zone)
            yield Problem(("sites", n, "zone"), message)


def _randomization(study: Study, design: Randomization) -> Iterator[Problem]:
    here: Spot = ("randomization",)
    yield from _ratio(study, design)
    if design.slots_per_stratum < 1:
        yield Problem((*here, "slots_per_stratum"), T("This must be at least 1."))
    plan = study.visit.get(design.visit)
    if plan is None:
        message = T("The schedule has no visit {name}.", name=design.visit)
        yield Problem((*here, "visit"), suggest(message, design.visit, study.visit))
    elif plan.kind is not VisitKind.PLANNED or plan.day != 1:
        message = T("{visit} is the visit of randomization and so on day 1.", visit=plan.id)
        yield Problem((*here, "visit"), message)


def _deciding_form(study: Study, design: Randomization) -> Iterator[Problem]:
    here: Spot = ("randomization",)
    form = study.forms.get(design.form)
    if form is None:
        message = T("The study has no form {form}.", form=design.form)
        yield Problem((*here, "form"), suggest(message, design.form, study.forms))
        return
    if form.signed is None:
        message = T(
            "The form {form} decides on eligibility, but nobody signs it.", form=form.id
        )
        yield Problem((*here, "form"), message)
    if form.id not in {cell.form for cell in study.matrix}:
        message = T("The form {name} is due at no visit.", name=form.id)
        yield Problem((*here, "form"), message)


def _ratio(study: Study, design: Randomization) -> Iterator[Problem]:
    arms = {arm.id for arm in study.arms}
    here: Spot = ("randomization", "ratio")
    for arm, share in design.ratio.items():
        if arm not in arms:
            message = suggest(T("The study has no arm {arm}.", arm=arm), arm, arms)
            yield Problem((*here, arm), message)
        if share < 1:
            yield Problem((*here, arm), T("This must be at least 1."))
    for arm in sorted(arms - set(design.ratio)):
        yield Problem(here, T("The arm {arm} has no share.", arm=arm))


def _supply(study: Study) -> Iterator[Problem]:
    if study.supply is None:
        return
    for key in ("units_per_kit", "units_per_day"):
        if getattr(study.supply, key) < 1:
            yield Problem(("supply", key), T("This must be at least 1."))
    for visit, kits in study.supply.dispense.items():
        here = ("supply", "dispense", visit)
        if visit not in study.visit:
            message = T("The schedule has no visit {name}.", name=visit)
            yield Problem(here, suggest(message, visit, study.visit))
        if kits < 1:
            yield Problem(here, T("This must be at least 1."))
    yield from _sending(study.supply)
    yield from _labels(study.supply)
    for n, visit in enumerate(
        study.supply.preparation.visits if study.supply.preparation else ()
    ):
        if visit not in study.visit:
            message = T("The schedule has no visit {name}.", name=visit)
            yield Problem(("supply", "preparation", "visits", n), message)


def _sending(supply: Supply) -> Iterator[Problem]:
    """Refuse levels and windows under which a resupply would send nothing or never end."""
    rule = supply.stocking
    if rule.mode == "levels" and rule.high <= rule.low:
        message = T("Sets are filled up to more than what is left when more is sent.")
        yield Problem(("supply", "stocking", "high"), message)
    if rule.mode == "predictive" and rule.resupply_days < max(1, rule.trigger_days):
        message = T("A resupply must last at least as long as is looked ahead.")
        yield Problem(("supply", "stocking", "resupply_days"), message)


def _labels(supply: Supply) -> Iterator[Problem]:
    """Warn when kits of a blinded study could not be labelled from the definition."""
    if supply.label is None:
        message = T("The label of kits is missing (`supply.label`): contact, content, "
                    "investigator, directions, caution, storage, children.")  # fmt: skip
        yield Problem(("supply",), message, "warning")
    elif supply.label.source == "unverified":
        message = T("The label of kits is marked as unverified.")
        yield Problem(("supply", "label", "source"), message, "warning")


def _unblinding(study: Study) -> Iterator[Problem]:
    """A text blinded people read may name every arm or none."""
    if not study.blinded:
        return
    for spot, words in _blinded_texts(study):
        for language in ("en", "zh"):
            named = [
                arm.id for arm in study.arms if _names_arm(words, arm.id, arm.label, language)
            ]
            if named and len(named) < len(study.arms):
                message = T("This text names one arm and not the others; it would unblind.")
                yield Problem((*spot, language), message)


def _blinded_texts(study: Study) -> Iterable[tuple[Spot, Words]]:
    if study.supply is not None:
        yield ("supply", "product"), study.supply.product
        for key, words in study.supply.label or ():
            if isinstance(words, Words):
                yield ("supply", "label", key), words
    if study.randomization is not None:
        yield ("randomization", "confirm"), study.randomization.confirm
    for n, plan in enumerate(study.visits):
        yield ("visits", n, "label"), plan.label


def _names_arm(words: Words, arm: str, label: Words, language: str) -> bool:
    text = words.in_(language).lower()
    letters = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in text)
    return label.in_(language).lower() in text or arm.lower() in letters.split()
