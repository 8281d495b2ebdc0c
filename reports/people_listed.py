"""Participants as a package lists them, with the stratum they were randomized under, the true
one, and every correction between the two.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.study import strata
from reports.read import ORDER, Selection, stream, text
from visits.allocating.tables import StratumCorrection
from visits.tables import Participant

PARTICIPANTS = (
    "site", "participant", "status", "definition", "enrolled_at", "randomized_on",
    "random_number", "blind_broken_at", "stratum_randomized", "stratum_true",
    "stratum_corrected",
)  # fmt: skip


def participants(session: Session, selection: Selection) -> Iterator[list[str]]:
    """Yield the participants; a stratum corrected after the moment is not yet known."""
    query = (
        select(
            Participant.site, Participant.code, Participant.status, Participant.protocol,
            Participant.enrolled_at, Participant.randomized_on, Participant.random_number,
            Participant.unblinded_at, Participant.id, Participant.receipt,
        )
        .where(selection.covers())
        .order_by(*ORDER)
    )  # fmt: skip
    corrected = _corrected(session, selection)
    for row in stream(session, query):
        broken = row.unblinded_at
        known = None if broken is None or broken > selection.at else broken
        under = strata.under(row.receipt)
        true = under | corrected.get(row.id, {})
        flag = ("Y" if true != under else "N") if under else ""
        named = (strata.name(under), strata.name(true)) if under else ("", "")
        yield [*map(text, row[:7]), text(known), *named, flag]


def _corrected(session: Session, selection: Selection) -> dict[int, dict[str, str]]:
    """Return the true levels by participant, as far as they were written down."""
    found: dict[int, dict[str, str]] = {}
    for row in _corrections(session, selection):
        found.setdefault(row.participant_id, {})[row.factor] = row.true_level
    return found


CORRECTIONS = (
    "correction", "site", "participant", "factor", "randomized_under", "true_level", "reason",
    "by", "at", "counts",
)  # fmt: skip


def corrections(session: Session, selection: Selection) -> Iterator[list[str]]:
    """Yield every correction of a stratum; `counts` marks the last one of each factor."""
    rows = list(_corrections(session, selection))
    last = {(row.participant_id, row.factor): row.id for row in rows}
    for row in rows:
        counts = "Y" if last[row.participant_id, row.factor] == row.id else "N"
        yield [*map(text, row[1:]), counts]


def _corrections(session: Session, selection: Selection) -> Iterator[Any]:
    made = StratumCorrection
    query = (
        select(
            made.participant_id, made.id, Participant.site, Participant.code, made.factor,
            made.level, made.true_level, made.reason, made.by_name, made.at,
        )
        .join(Participant, Participant.id == made.participant_id)
        .where(selection.covers(), made.at <= selection.at)
        .order_by(*ORDER, made.id)
    )  # fmt: skip
    yield from stream(session, query)
