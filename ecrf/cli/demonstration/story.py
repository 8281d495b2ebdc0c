"""What happens to one invented participant: which visits, on which days, with what mishaps."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import isqrt

from ecrf.cli.demonstration.chooser import Chooser
from ecrf.cli.demonstration.profile import Profile
from ecrf.study.model import Study, VisitKind, VisitPlan
from visits.windows import date_of

SCREENING_DAYS = 14


@dataclass(frozen=True, slots=True)
class Contact:
    """One visit as it happens; `on` None means it is missed."""

    plan: str
    on: date | None
    unplanned: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A participant's way through the trial up to today.

    `fails` and `waits` are mutually exclusive with `randomized_on`.
    """

    site: str
    screened_on: date
    fails: bool
    randomized_on: date | None
    contacts: tuple[Contact, ...]
    ends_early_on: date | None = None


def tell(
    study: Study, profile: Profile, number: int, of: int, today: date, c: Chooser
) -> Story:
    """Return the story of participant `number` of `of`, the first one screened first.

    Recruitment gathers pace as sites open: how many there are grows with the time squared.
    """
    span = profile.months * 30
    passed = isqrt(span * span * number // of)
    screened = today - timedelta(days=span - passed + c.within(0, 6))
    site = c.weighted(
        {s.code: weight for s, weight in zip(study.sites, (3, 2, 2), strict=False)}
    )
    fails = c.chance(profile.screen_failed)
    randomized = screened + timedelta(days=c.within(5, SCREENING_DAYS))
    waits = randomized >= today or (
        not fails and number >= of - of * profile.still_screening // 100
    )
    if fails or waits or study.randomization is None:
        return Story(site, min(screened, today), fails and not waits, None, ())
    early = (
        randomized + timedelta(days=c.within(60, 300))
        if c.chance(profile.ended_early)
        else None
    )
    ends = early if early is not None and early < today else None
    contacts = _contacts(study, profile, randomized, ends or today, c)
    return Story(
        site,
        screened,
        fails=False,
        randomized_on=randomized,
        contacts=contacts,
        ends_early_on=ends,
    )


def _contacts(
    study: Study, profile: Profile, start: date, until: date, c: Chooser
) -> tuple[Contact, ...]:
    happened: list[Contact] = []
    for plan in study.visits:
        if (
            plan.kind is not VisitKind.PLANNED
            or plan.day is None
            or plan.day <= 1
            or plan.optional
        ):
            continue
        if plan.anchor == "randomization":
            happened += _planned(plan, profile, start, until, c)
    if profile.happening and c.chance(profile.happening.percent):
        on = start + timedelta(days=c.within(40, 340))
        if on < until:
            happened.append(Contact(profile.happening.visit, on, unplanned=True))
    return tuple(sorted(happened, key=lambda contact: contact.on or date.max))


def _planned(
    plan: VisitPlan, profile: Profile, start: date, until: date, c: Chooser
) -> list[Contact]:
    target = date_of(plan.day or 1, start)
    spread = c.within(-plan.before, plan.after)
    if c.chance(profile.mishaps.out_of_window):
        spread = plan.after + c.within(1, 6)
    on = target + timedelta(days=spread)
    if c.chance(profile.mishaps.missed) and target + timedelta(days=plan.after) < until:
        return [Contact(plan.id, None)]
    return [Contact(plan.id, on)] if on < until else []
