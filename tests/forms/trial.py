"""A small trial for the tests of entries: vital signs, a grid, a log, and the study begun."""

from datetime import date

from sqlalchemy import insert, update

from ecrf.kernel import chain
from ecrf.kernel.ledger import LEDGER, Act, By, Origin, study_chain
from ecrf.kernel.people import Site
from ecrf.study import canonical, versions
from ecrf.study.expr import parse
from ecrf.study.model import Study
from ecrf.study.tables import ProtocolVersion, StudyRow
from tests import people
from visits import participants
from visits.tables import Visit

STUDY_ID = people.STUDY


def words(text):
    return {"en": text, "zh": f"{text}（中）"}


def formula(text):
    return {"text": text, "tree": parse(text)}


def item(key, kind, label, **more):
    return {"id": key, "type": kind, "label": words(label), **more}


def check(key, target, when, message, severity="soft"):
    return {
        "id": key, "item": target, "when": formula(when), "message": words(message),
        "severity": severity,
    }  # fmt: skip


def code(value, label):
    return {"value": value, "label": words(label)}


def codelist(key, **labels):
    codes = [code(value.removeprefix("_"), label) for value, label in labels.items()]
    return {"id": key, "codes": codes}


UNITS = [{"name": "kg", "factor": "1"}, {"name": "g", "factor": "0.001"}]
PRESSURE = {"hard": ["50", "300"], "soft": ["90", "180"]}
VS = {
    "id": "vs", "title": words("Vital signs"), "signed": words("I have read these signs."),
    "sections": [
        {
            "title": words("Pressure"),
            "members": [
                item("sbp", "integer", "Systolic", units=UNITS[:0], limits=PRESSURE,
                     require=True, missing=["ND", "UNK"]),
                item("dbp", "integer", "Diastolic", missing=["ND"]),
            ],
        },
        {
            "title": words("Body"),
            "members": [
                item("weight", "decimal", "Weight", units=UNITS, places=1,
                     hint=words("Without shoes")),
                item("gain", "decimal", "Gain since screening", places=1,
                     derive=formula("weight - SCR.vs.weight")),
                item("pregnant", "yes/no", "Pregnant", show=formula('SCR.dm.sex == "F"')),
                item("position", "choice", "Position", codes="position"),
                item("symptoms", "choices", "Symptoms", codes="symptoms"),
                item("pain", "vas", "Pain"),
                item("begin", "partial date", "Begin", unknown="month"),
                item("taken", "date", "Taken on"),
                item("remark", "text", "Remark", max_length=20),
            ],
        },
    ],
    "checks": [
        check("VS01", "sbp", "sbp <= dbp", "Systolic is not above diastolic."),
        check("VS02", "weight", "weight > 400", "Nobody weighs that much.", "hard"),
    ],
}  # fmt: skip
GR = {
    "id": "gr", "title": words("Organs"),
    "sections": [{"members": [
        {
            "id": "organs", "label": words("Organs"),
            "rows": [
                {"id": "LUNG", "label": words("Lungs")},
                {"id": "SKIN", "label": words("Skin")},
                {"id": "CONST", "label": words("Constitution"), "closed": ["urgent"]},
            ],
            "columns": [
                item("score", "choice", "Score", codes="score", require=True),
                item("urgent", "yes/no", "Urgent", require=formula("row.score >= 1")),
            ],
            "fill": {"score": "0"}, "fill_label": words("Set all remaining rows to normal"),
        },
        item("total", "integer", "Total", derive=formula(
            "sum(number(row.score) * (2 if number(row.score) >= 1 and row.urgent == 'Y' else 1)"
            " for row in organs)")),
    ]}],
}  # fmt: skip
DM = {
    "id": "dm",
    "title": words("Demographics"),
    "sections": [{"members": [item("sex", "choice", "Sex", codes="sex", require=True)]}],
}
AE = {
    "id": "ae", "title": words("Adverse event"), "repeating": True,
    "sections": [{"members": [item("term", "text", "Term", require=True)]}],
}  # fmt: skip
VISITS = [
    {"id": "SCR", "label": words("Screening"), "day": -14, "before": 14, "after": 13},
    {"id": "BL", "label": words("Baseline"), "day": 1},
    {"id": "W4", "label": words("Week 4"), "day": 29, "before": 7, "after": 7},
    {"id": "LOG", "label": words("Logs"), "kind": "log"},
]
MATRIX = [
    ("dm", "SCR", "required"), ("vs", "SCR", "required"), ("vs", "BL", "required"),
    ("gr", "BL", "required"), ("vs", "W4", "required"), ("ae", "LOG", "event"),
]  # fmt: skip
TRIAL = Study.model_validate({
    "id": STUDY_ID, "version": "1", "title": words("A trial"), "short_title": words("Trial"),
    "registry": "NCT05974683", "planned": 108, "masking": "quadruple",
    "arms": [{"id": "A", "label": words("A"), "type": "active"}],
    "sites": [{"code": c, "name": words(c)} for c in ("PUMCH", "BFH")],
    "codelists": {
        "sex": codelist("sex", F="Female", M="Male"),
        "position": codelist("position", SITTING="Sitting", LYING="Lying"),
        "symptoms": codelist("symptoms", COUGH="Cough", FEVER="Fever", RASH="Rash"),
        "score": codelist("score", _0="Normal", _1="Improved", _2="Unchanged", _3="Worse"),
        "missing": codelist("missing", ND="Not done", UNK="Unknown"),
    },
    "visits": VISITS,
    "matrix": [{"form": f, "visit": v, "need": n} for f, v, n in MATRIX],
    "forms": {form["id"]: form for form in (VS, GR, DM, AE)},
})  # fmt: skip
FINGERPRINT = canonical.fingerprint(TRIAL)
SCREENED = date(2026, 2, 20)
BASELINE = date(2026, 3, 1)


def begin(database, draw):
    """Put the trial in force and enrol one participant at each site, with SCR and BL held."""
    start = By(people.DORA, people.START, Origin.COMMAND, draw)
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
                    "zone": "Asia/Shanghai",
                }
                for code in ("PUMCH", "BFH")
            ],
        )  # fmt: skip
        act = Act("study:begin", None, STUDY_ID)
        LEDGER.write(session, start, [(chain.start(study_chain(STUDY_ID)), act)])
        for actor, site in ((people.ANNA, "PUMCH"), (people.BO, "BFH")):
            by = By(actor, people.START, Origin.PAGE, draw)
            participants.enrol(session, by, TRIAL, FINGERPRINT, site)
        for key, day in (("SCR", SCREENED), ("BL", BASELINE)):
            session.execute(
                update(Visit).where(Visit.key == key).values(held_on=day, status="held")
            )
        versions.model(session, FINGERPRINT)
    return database
