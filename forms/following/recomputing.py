"""Let a change of one entry come to the participant's other entries, in its transaction."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from ecrf.kernel.access import Role
from ecrf.kernel.chain import Head
from ecrf.kernel.ledger import By
from ecrf.study.model import Study
from forms.answers import Answer
from forms.following import settling, standing, storing
from forms.following.dependants import reached
from forms.following.storing import Done
from forms.laboratory import loading
from forms.laboratory.ranges import Ranges
from forms.lookup import Found


def follow(
    session: Session,
    by: By,
    role: Role,
    found: Found,
    entry_id: int,
    now: Mapping[str, Answer],
    head: Head,
    version: int,
) -> Done:
    """Recompute what reads the answers of `found` that are now `now`, and say why.

    No statement is sent when no entry reads what changed. `head` is the
    participant's chain after the act of the change itself.
    """
    was = found.answers
    keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    if not keys:
        return Done()
    begun = bool(was) != bool(now)
    forms = reached(
        found.study, found.fingerprint, found.form.id, None if begun else keys,
        found.visit.plan, found.beside,
    )  # fmt: skip
    if not forms:
        return Done()

    def ranges(study: Study, form: str) -> Ranges:
        return loading.ranges(session, study, form, found.edition)

    entries = standing.load(
        session, found.participant.id, found.context, ranges, {entry_id: was}, by.at
    )
    outcomes = [o for o in settling.settle(entries, forms) if o.entry.id != entry_id]
    cause = {
        "entry": entry_id, "visit": found.visit.key, "form": found.form.id,
        "number": found.number, "version": version,
    }  # fmt: skip
    return storing.carry_out(
        session, by, role, found.participant, lambda: head, entries, outcomes, cause
    )
