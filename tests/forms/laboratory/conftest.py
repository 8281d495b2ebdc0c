"""The small trial with a laboratory form: two analytes, ranges, an alert."""

import pytest
from sqlalchemy import insert, update

from ecrf.study import canonical, versions
from ecrf.study.laboratory import Laboratory
from ecrf.study.model import Study
from ecrf.study.tables import ProtocolVersion, StudyRow
from tests import people
from tests.forms.trial import STUDY_ID, TRIAL, begin, check, codelist, formula, item, words
from visits.tables import Participant

UNITS = [{"name": "U/L", "factor": "1"}, {"name": "µkat/L", "factor": "60"}]
LIMITS = {"hard": ["0", "20000"]}
LB = {
    "id": "lb", "title": words("Laboratory"),
    "sections": [{"members": [
        item("lbdat", "date", "Sample"), item("lab_id", "text", "Laboratory"),
        item("alt", "decimal", "ALT", units=UNITS, limits=LIMITS),
        item("plat", "decimal", "Platelets", limits=LIMITS),
        item("alt_uln", "decimal", "ULN", units=UNITS[:1], derive=formula("range.alt.high")),
        {
            "id": "results", "label": words("Results"),
            "rows": [{"id": "ALT", "label": words("ALT")},
                     {"id": "PLAT", "label": words("Platelets")}],
            "columns": [
                item("flag", "choice", "Flag", codes="flag", derive=formula("range.row.flag")),
                item("grade", "integer", "Grade", derive=formula("range.row.grade")),
                item("sig", "yes/no", "Significant", codes="ny", require=True,
                     show=formula('row.flag in ("L", "H")')),
            ],
        },
    ]}],
    "checks": [check("LB01", "plat", "plat < 75", "Platelets below 75: evaluate.")],
}  # fmt: skip
PART = Laboratory.model_validate({
    "sex": "SCR.dm.sex", "birth": "SCR.dm.sex", "baseline": ["BL"],
    "analytes": [
        {"id": "ALT", "item": "lb.alt", "toxicity": [
            {"term": words("ALT increased"), "side": "high", "scale": "limit",
             "baseline": "normal",
             "steps": [{"grade": 1, "to": "3"}, {"grade": 2, "to": "5"}, {"grade": 3}]},
            {"term": words("ALT increased"), "side": "high", "scale": "baseline",
             "baseline": "abnormal", "start": "1.5", "including": True,
             "steps": [{"grade": 1, "to": "3"}, {"grade": 2}]}]},
        {"id": "PLAT", "item": "lb.plat"},
    ],
    "alerts": [{"check": "lb.LB01", "level": "hold"}],
})  # fmt: skip


def trial():
    plain = TRIAL.model_dump(by_alias=True)
    plain["forms"]["lb"] = LB
    more = [{"form": "lb", "visit": v, "need": "required"} for v in ("BL", "SCR")]
    plain["matrix"] = [*plain["matrix"], *more]
    plain["codelists"]["flag"] = codelist("flag", L="Low", N="Normal", H="High")
    plain["codelists"]["ny"] = codelist("ny", Y="Yes", N="No")
    plain["laboratory"] = PART.model_dump()
    return Study.model_validate(plain)


WITH_LAB = trial()
PRINT = canonical.fingerprint(WITH_LAB)
RANGES = """\
laboratory,site,analyte,sex,age_from,age_to,starts_on,low,high,unit,source
,,ALT,F,,,2000-01-01,7,40,U/L,unverified
,,ALT,M,,,2000-01-01,9,50,U/L,unverified
,,PLAT,,,,2000-01-01,125,350,,unverified
"""


@pytest.fixture
def running(database, draw):
    """The small trial with laboratory results in force."""
    begin(database, draw)
    with database.write() as session:
        session.execute(insert(ProtocolVersion).values(
            fingerprint=PRINT, study=STUDY_ID, version="2",
            content=canonical.canonical(WITH_LAB), first_by=people.DORA.id,
            first_at=people.START, second_by=people.DIRK.id, second_at=people.START,
        ))  # fmt: skip
        session.execute(update(StudyRow).values(fingerprint=PRINT))
        session.execute(update(Participant).values(protocol=PRINT))
        versions.model(session, PRINT)
    return database
