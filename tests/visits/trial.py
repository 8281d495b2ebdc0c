"""A small trial for the tests of visits: the schedule of clinical 5.1 with three forms."""

from ecrf.study.expr import parse
from ecrf.study.model import Study

STUDY_ID = "nct05974683"


def words(text):
    return {"en": text, "zh": f"{text}（中）"}


def plan(key, label, **more):
    return {"id": key, "label": words(label), **more}


def form(key, **more):
    item = {"id": "note", "type": "text", "label": words("Note")}
    return {"id": key, "title": words(key.upper()), "sections": [{"members": [item]}], **more}


def planned(key, label, day, margin, **more):
    return plan(key, label, day=day, before=margin, after=margin, **more)


VISITS = [
    plan("SCR", "Screening", day=-14, before=14, after=13),
    planned("BL", "Baseline", 1, 0),
    planned("W2s", "Safety lab week 2", 15, 3, optional=True),
    planned("W4", "Week 4", 29, 7),
    planned("W8s", "Safety lab week 8", 57, 7, optional=True),
    planned("W12", "Week 12", 85, 7),
    planned("W24", "Week 24", 169, 14),
    planned("W36", "Week 36", 253, 14),
    planned("W52", "Week 52", 365, 14),
    plan("ET", "Early termination", kind="event", anchor="last dose", within=14),
    plan("UNS", "Unscheduled", kind="unscheduled", repeating=True),
    plan("REL", "Suspected relapse", kind="event", within=14, repeating=True),
    planned("SFU", "Safety follow-up", 28, 7, anchor="last dose"),
    plan("PFU", "Pregnancy follow-up", months=6, before=14, after=14, anchor="last visit"),
    plan("LOG", "Logs", kind="log"),
]
MATRIX = [
    ("dm", "SCR", "required"),
    ("vs", "SCR", "required"),
    ("vs", "BL", "required"),
    ("vs", "W4", "required"),
    ("lbx", "W4", "required"),
    ("vs", "W12", "required"),
    ("vs", "W52", "required"),
    ("vs", "UNS", "optional"),
    ("ae", "LOG", "event"),
]


def build(**changed):
    """Return the trial; `changed` replaces parts of its definition."""
    return Study.model_validate({
        "id": STUDY_ID, "version": "1", "title": words("A trial"),
        "short_title": words("Trial"), "registry": "NCT05974683", "planned": 108,
        "masking": "quadruple",
        "arms": [{"id": "A", "label": words("A"), "type": "active"}],
        "sites": [
            {"code": "PUMCH", "name": words("Peking Union")},
            {"code": "BFH", "name": words("Friendship")},
        ],
        "codelists": {},
        "visits": VISITS,
        "matrix": [{"form": f, "visit": v, "need": need} for f, v, need in MATRIX],
        "forms": {
            "dm": form("dm"), "vs": form("vs", signed=words("I confirm.")),
            "ae": form("ae", repeating=True),
        },
        "forms_to_come": {"lbx": words("CRP and ESR")},
        "randomization": {
            "ratio": {"A": 1}, "visit": "BL", "form": "dm", "slots_per_stratum": 20,
            "eligible": {"text": "given(note)", "tree": parse("given(note)")},
            "confirm": words("The participant may take part."),
        },
        **changed,
    })  # fmt: skip


TRIAL = build()
