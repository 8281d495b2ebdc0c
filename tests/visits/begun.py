"""The small trial of these tests as it stands in a database once it runs."""

from sqlalchemy import insert

from ecrf.kernel import chain
from ecrf.kernel.ledger import LEDGER, Act, study_chain
from ecrf.kernel.people import Site
from ecrf.study import canonical
from ecrf.study.tables import ProtocolVersion, StudyRow
from tests import people
from tests.visits.trial import STUDY_ID, TRIAL

FINGERPRINT = canonical.fingerprint(TRIAL)


def begin(database, by):
    """Put the small trial in force; two of its sites are open, one is not."""
    who = by(people.DORA, at=people.START)
    with database.write() as session:
        session.execute(
            insert(ProtocolVersion).values(
                fingerprint=FINGERPRINT, study=STUDY_ID, version="1",
                content=canonical.canonical(TRIAL), first_by=people.DORA.id,
                first_at=people.START, second_by=people.DIRK.id, second_at=people.START,
            )
        )  # fmt: skip
        session.execute(insert(StudyRow).values(id=STUDY_ID, fingerprint=FINGERPRINT))
        session.execute(
            insert(Site),
            [
                {
                    "study": STUDY_ID, "code": code, "name_en": code, "name_zh": code,
                    "zone": "Asia/Shanghai", "open": code != "SHUT",
                }
                for code in ("PUMCH", "BFH", "SHUT")
            ],
        )  # fmt: skip
        begin = Act("study:begin", None, STUDY_ID)
        LEDGER.write(session, who, [(chain.start(study_chain(STUDY_ID)), begin)])
    return database
