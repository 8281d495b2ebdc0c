"""Which other entries a participant has, and when: told in the question that finds an entry."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, String, bindparam, case, func, select

from forms.tables import Entry
from visits.tables import Participant, Visit


class Beside(NamedTuple):
    """Another entry of the participant: its form, and when its visit is.

    `when` is "same", "later" or "earlier" than the visit of the change.
    """

    form: str
    when: str


def told() -> ScalarSelect[Any]:
    """Return the participant's other entries, each as `form when`, as part of a question."""
    other = Visit.__table__.alias("other")
    begun = Entry.__table__.alias("begun")
    at, day = other.c.held_on, Visit.held_on
    never = date.max
    later = func.coalesce(at, never) > func.coalesce(day, never)
    level = func.coalesce(at, never) == func.coalesce(day, never)
    when = case(
        (other.c.id == Visit.id, "same"),
        (later | (level & (other.c.position > Visit.position)), "later"),
        else_="earlier",
    )
    own = (
        (begun.c.visit_id == Visit.id)
        & (begun.c.form == bindparam("of_form", type_=String))
        & (begun.c.number == bindparam("of_number"))
    )
    return (
        select(func.aggregate_strings(begun.c.form + " " + when, ","))
        .select_from(begun.join(other, other.c.id == begun.c.visit_id))
        .where(begun.c.participant_id == Participant.id, ~own)
        .correlate(Participant, Visit)
        .scalar_subquery()
    )


def read(text: str | None) -> frozenset[Beside]:
    """Return what `told` told."""
    return frozenset(Beside(*one.split(" ", 1)) for one in (text or "").split(",") if one)
