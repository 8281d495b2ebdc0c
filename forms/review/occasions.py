"""What is signed in one go: a visit, a milestone of the study, or the whole casebook. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.model import Form, Study, Words
from ecrf.study.reviewing import Milestone


class Occasion(NamedTuple):
    """Which entries are signed together, and what that means for forms that do not say."""

    name: str
    label: Text
    visit: str = ""
    milestone: Milestone | None = None

    def meaning(self, form: Form, plan: str, key: str) -> Words | None:
        """Return what signing a form at a visit means; None when it is not part of this."""
        if self.visit not in ("", key):
            return None
        if self.milestone is None:
            return form.signed
        covered = self.milestone.covers(form.id, plan)
        return (form.signed or self.milestone.signed) if covered else None


CASEBOOK = Occasion("casebook", T("The whole casebook"))


def named(study: Study, visit: str, milestone: str) -> Occasion | None:
    """Return the occasion of a visit's key or a milestone's id, else the casebook."""
    if milestone:
        found = next((m for m in study.milestones if m.id == milestone), None)
        return of_milestone(found) if found else None
    if visit:
        return Occasion(f"visit {visit}", T("Visit {visit}", visit=visit), visit=visit)
    return CASEBOOK


def of_milestone(milestone: Milestone) -> Occasion:
    return Occasion(f"milestone {milestone.id}", milestone.label, milestone=milestone)


def milestones(study: Study) -> Iterator[Occasion]:
    """Yield the milestones of the study, in its order."""
    return (of_milestone(milestone) for milestone in study.milestones)
