"""What a study says of verification against the source, and of milestones people sign. Pure.

`items` is what is compared with the source for a participant of the sample: all items, the
critical ones or none; `otherwise` is the same for everybody else. `sample` is a share in
percent, `first` the participants a site enrols first: those are always in the sample.
"""

from typing import Annotated, Literal

from pydantic import Field, Strict

from ecrf.study.parts import Frozen, Id, Words

Extent = Literal["all", "critical", "none"]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Count = Annotated[int, Strict(), Field(ge=0)]


class Extents(Frozen):
    """How much is verified, and for whom."""

    items: Extent = "all"
    otherwise: Extent = "critical"
    sample: Percent = 100
    first: Count = 0


class Rule(Extents):
    """An exception for a form, a visit or a form at a visit."""

    form: Id | None = None
    visit: Id | None = None


class Verification(Frozen):
    """The plan of verification. The first rule that fits counts, else `default`.

    `critical` names the critical items of a form: `id` of an item, `grid` for all its cells,
    `grid.column` for one column, `*` for the whole form.
    """

    default: Extents = Extents()
    rules: tuple[Rule, ...] = ()
    critical: dict[Id, tuple[str, ...]] = {}

    def extents(self, form: str, visit: str) -> Extents:
        """Return what holds for a form at a visit."""
        return next(
            (
                rule
                for rule in self.rules
                if rule.form in (None, form) and rule.visit in (None, visit)
            ),
            self.default,
        )


class Milestone(Frozen):
    """A point at which somebody answers for what was entered up to it.

    It covers the complete entries of `forms` (none named: every form) at `visits` (none named:
    every visit). Forms with a meaning of their own are signed with that; the others with
    `signed`, and without it they are not signed. `lock` says that a lock waits for it.
    """

    id: Id
    label: Words
    visits: tuple[Id, ...] = ()
    forms: tuple[Id, ...] = ()
    signed: Words | None = None
    lock: Annotated[bool, Strict()] = False

    def covers(self, form: str, visit: str) -> bool:
        """Say whether a form at a visit belongs to the milestone."""
        return (not self.forms or form in self.forms) and (
            not self.visits or visit in self.visits
        )
