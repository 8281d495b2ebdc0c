"""Where a list comes from, besides its specification: a beacon, or a file made elsewhere."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from randomization.ceremony.steps import Step
from randomization.ceremony.tables import Ceremony, CeremonyStep


class Origin(NamedTuple):
    """`beacon` says which value, `value` is it; `file` is the SHA-256 of an imported file."""

    beacon: str = ""
    value: str = ""
    file: str = ""


def of(session: Session, study: str, environment: str, version: int) -> Origin:
    """Return the origin of a list; one made the short way has nothing to tell."""
    texts = session.scalars(
        select(CeremonyStep.content)
        .join(Ceremony, Ceremony.id == CeremonyStep.ceremony_id)
        .where(
            Ceremony.study == study, Ceremony.environment == environment,
            Ceremony.version == version,
            CeremonyStep.step.in_([Step.BEACON.value, Step.IMPORT.value]),
        )
    )  # fmt: skip
    return told(texts)


def told(texts: Iterable[str]) -> Origin:
    """Return the origin that these steps tell of."""
    said: dict[str, str] = {}
    for text in texts:
        said |= json.loads(text)
    return Origin(said.get("beacon", ""), said.get("value", ""), said.get("file", ""))


def begun(session: Session, study: str, environment: str, version: int) -> bool:
    """Say whether the list of that number has a ceremony."""
    found = session.scalar(
        select(Ceremony.id).where(
            Ceremony.study == study, Ceremony.environment == environment,
            Ceremony.version == version,
        )
    )  # fmt: skip
    return found is not None
