"""Assess what an unblinding does to the trial, and close the task with a signature."""

import hashlib
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change, canonical
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from ecrf.study import telling
from ecrf.study.model import Study
from forms.unblinded.tables import CodeBreak
from visits.tables import Participant

LONGEST = 2000
MEANING = T(
    "I have assessed the impact of this unblinding on the participant, the data and the blind."
)
DECISIONS = {
    "none": T("No impact on the trial's results"),
    "contained": T("Impact contained by the measures named"),
    "serious": T("Serious: reported to the sponsor and the ethics committee"),
}


class Assessment(NamedTuple):
    """Who learned what by which way (never the treatment), the decision, and the measures."""

    learned: str
    decision: str
    measures: str


def assess(
    session: Session, by: By, study: Study, number: int, said: Assessment, *, sure: bool
) -> None:
    """Close the task; the caller has had the password typed again.

    Words that name a treatment are refused until the person says, with `sure`, that they tell
    nothing.
    """
    row = session.execute(
        select(CodeBreak.site, Participant.code)
        .join(Participant, Participant.id == CodeBreak.participant_id)
        .where(CodeBreak.study == study.id, CodeBreak.id == number)
    ).one_or_none()
    if row is None or not by.actor.may(Right.BREAK_READ, study.id, row.site):
        raise NotFound(T("There is no such code break."))
    role = by.actor.role_for(Right.BREAK_ASSESS, study.id, row.site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    tidy = _require(study, number, said, sure=sure)
    head = LEDGER.head(session, participant_chain(study.id, row.code))
    signature = _sign(session, by, number, tidy, role)
    done = session.execute(
        update(CodeBreak)
        .where(CodeBreak.id == number, CodeBreak.assessed_at.is_(None))
        .values(
            **tidy._asdict(), assessed_at=by.at, assessed_by=by.actor.name,
            signature_id=signature,
        )
        .returning(CodeBreak.id)
    ).scalar_one_or_none()  # fmt: skip
    if done is None:
        raise Conflict(T("The impact was assessed already."))
    refs = {"participant": row.code, "break": number, "signature": signature}
    changes = [Change(name, None, value) for name, value in tidy._asdict().items()]
    act = Act(
        "code-break:assess", role, study.id, row.site, key=f"break:{number}", refs=refs,
        changes=changes,
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def _require(study: Study, number: int, said: Assessment, *, sure: bool) -> Assessment:
    tidy = Assessment(said.learned.strip(), said.decision, said.measures.strip())
    problems = []
    for name in ("learned", "measures"):
        text = getattr(tidy, name)
        if not 0 < len(text) <= LONGEST:
            message = T("Say it in 1 to {n} characters.", n=LONGEST)
            problems.append(Problem(f"{name}-{number}", message))
            continue
        found = telling.named(text, telling.words(study))
        if found and not sure:
            message = T(
                "“{word}” names a treatment. Take it out, or say that it tells nothing.",
                word=found[0],
            )
            problems.append(Problem(f"{name}-{number}", message))
    if tidy.decision not in DECISIONS:
        message = T("Choose a decision.")
        problems.append(Problem(f"decision-{number}", message))
    if problems:
        raise Unacceptable(T("Nothing was saved."), problems)
    return tidy


def _sign(session: Session, by: By, number: int, said: Assessment, role: str) -> int:
    content = canonical({"break": number, **said._asdict()})
    made = session.execute(
        insert(Signature)
        .values(
            target=f"break:{number}", version=1,
            content_hash=hashlib.sha256(content.encode()).hexdigest(), person_id=by.actor.id,
            printed_name=by.actor.name, role=role, meaning_en=MEANING.in_("en"),
            meaning_zh=MEANING.in_("zh"), at=by.at, zone="UTC",
        )
        .returning(Signature.id)
    )  # fmt: skip
    return int(made.scalar_one())
