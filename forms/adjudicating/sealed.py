"""What a vote says stays sealed until its case is final, also on the ledger.

Every act of a vote holds all of it as one value. The act's header commits to that value with a
salt, so that whoever reads the ledger can be shown the act without it, and can check later that
it was never altered; neither the number nor the names of the answers tell anything.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.adjudicating.states import State
from forms.adjudicating.tables import Case

ACTS = "vote:"
VOTE = "#vote"
SALT = "#salt"


def numbers(session: Session, study: str) -> frozenset[int]:
    """Return the cases of a study whose votes nobody may read yet."""
    found = select(Case.number).where(Case.study == study, Case.state != State.FINAL)
    return frozenset(session.scalars(found))


def hides(action: str, refs: Mapping[str, object], sealed: Collection[int] | None) -> bool:
    """Say whether an act tells a vote that is sealed; None for `sealed` is every case."""
    return action.startswith(ACTS) and (sealed is None or refs.get("case") in sealed)
