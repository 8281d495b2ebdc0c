"""One act of supply under the study's lock. What is refused is an act too."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import Act, By
from randomization.opened import Vault, lock
from randomization.tables import LEDGER

Done = TypeVar("Done")
REFUSE = "supply:refuse"


def enter(
    vault: Vault, by: By, act: Act, do: Callable[[Session], tuple[Done, Mapping[str, object]]]
) -> Done:
    """Do it and write the act with what `do` adds to its refs; undo and note a refusal."""
    study = act.study or ""
    try:
        with vault.database.write() as session:
            head = lock(session, study)
            done, refs = do(session)
            LEDGER.write(session, by, [(head, replace(act, refs={**act.refs, **refs}))])
    except Refused:
        tried = replace(act, action=REFUSE, refs={**act.refs, "tried": act.action})
        with vault.database.write() as session:
            LEDGER.write(session, by, [(lock(session, study), tried)])
        raise
    return done
