"""The small trial amended: in vital signs an item more, one less and a tighter limit, a code
gone, a wider window and a visit more.
"""

import json

from sqlalchemy import insert, update

from ecrf.study import at_sites, canonical, versions
from ecrf.study.tables import ProtocolVersion, StudyRow
from tests import people
from tests.forms.trial import FINGERPRINT, STUDY_ID, TRIAL, item, words


def _amended():
    plain = json.loads(canonical.canonical(TRIAL))
    plain["version"] = "2"
    vs = next(form for form in plain["forms"] if form["id"] == "vs")
    signs, body = (section["members"] for section in vs["sections"])
    signs[0]["limits"] = {"hard": ["50", "250"], "soft": ["90", "140"]}
    signs.append(item("pulse", "integer", "Pulse", require=True))
    body[:] = [member for member in body if member["id"] != "remark"]
    plain["codelists"]["position"]["codes"].pop()
    plain["codelists"]["sex"]["codes"][0]["label"] = words("Woman")
    week4 = next(visit for visit in plain["visits"] if visit["id"] == "W4")
    week4["after"] = 10
    plain["visits"].insert(3, {"id": "W8", "label": words("Week 8"), "day": 57})
    plain["matrix"].append({"form": "vs", "visit": "W8", "need": "required"})
    return canonical.from_canonical(json.dumps(plain))


AMENDED = _amended()
AMENDED_PRINT = canonical.fingerprint(AMENDED)


def approve(session, by):
    """Do what two approvals do, without the sites of the definition."""
    session.execute(
        insert(ProtocolVersion).values(
            fingerprint=AMENDED_PRINT, study=STUDY_ID, version="2",
            content=canonical.canonical(AMENDED), first_by=people.DORA.id,
            first_at=people.NOON, second_by=people.DIRK.id, second_at=people.NOON,
        )
    )  # fmt: skip
    at_sites.keep(session, by, STUDY_ID, FINGERPRINT)
    session.execute(update(StudyRow).values(fingerprint=AMENDED_PRINT))
    versions.model(session, AMENDED_PRINT)
