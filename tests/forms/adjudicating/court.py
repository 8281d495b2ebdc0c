"""The small trial with an event that is judged by two, and what everybody does about it."""

from ecrf.kernel.access import Right
from ecrf.study import canonical
from ecrf.study.model import Study
from forms import entries, lookup
from forms.adjudicating import assembling, cases, seats, voting
from forms.answers import Given
from tests import people
from tests.forms import trial
from tests.forms.trial import STUDY_ID, codelist, formula, item, words

EV = {
    "id": "ev", "title": words("Event"), "repeating": True,
    "sections": [{"members": [
        item("seen_on", "date", "Assessed on"),
        item("treated_on", "date", "Treated on"),
        item("opinion", "choice", "Opinion", codes="yes_no"),
        item("story", "text", "Story", max_length=200),
        {
            "id": "organs", "label": words("Organs"),
            "rows": [{"id": "LUNG2", "label": words("Lungs")},
                     {"id": "SKIN2", "label": words("Skin")}],
            "columns": [item("new", "yes/no", "New")],
        },
    ]}],
}  # fmt: skip
VOTE = {
    "id": "ballot", "title": words("Vote"),
    "sections": [{"members": [
        item("flare", "choice", "Event?", codes="verdict", require=True),
        item("ask", "text", "Question", show=formula('flare == "U"'), require=True),
        item("where", "choices", "Organs", codes="symptoms", show=formula('flare == "Y"'),
             require=True),
        item("agreed", "yes/no", "Date right?", show=formula('flare == "Y"'), require=True),
        item("on", "date", "Date", show=formula('agreed == "N"'), require=True),
    ]}],
}  # fmt: skip
RULE = {
    "form": "ev", "vote": "ballot", "when": formula('opinion == "Y"'),
    "site_says": formula('opinion == "Y"'), "site_date": "treated_on", "assessed": "seen_on",
    "site_organs": "organs.new",
    "dossier": {
        "forms": ["vs", "dm"], "visits": ["SCR", "previous", "same"],
        "drop": ["vs.position"], "opinion": ["ev.opinion"], "words": ["verum"],
    },
    "agreement": {
        "verdict": "flare", "question": "ask", "organs": "where", "date_agreed": "agreed",
        "date": "on",
    },
    "signed": words("I judged it alone."), "visit": "W4", "assessments": ["vs"],
}  # fmt: skip


def _trial():
    plain = trial.TRIAL.model_dump(by_alias=True)
    plain["forms"] = {**plain["forms"], "ev": EV, "ballot": VOTE}
    plain["codelists"] = {
        **plain["codelists"],
        "yes_no": codelist("yes_no", Y="Yes", N="No"),
        "verdict": codelist("verdict", Y="Yes", N="No", U="Unclear"),
    }
    plain["matrix"] = [
        *plain["matrix"],
        {"form": "ev", "visit": "BL", "need": "event"},
    ]
    plain["adjudication"] = RULE
    return Study.model_validate(plain)


TRIAL = _trial()
FINGERPRINT = canonical.fingerprint(TRIAL)
EVENT = {
    "seen_on": "2026-03-01", "treated_on": "2026-03-01", "opinion": "Y",
    "story": "Worse on verum at PUMCH", "LUNG2.new": "Y",
}  # fmt: skip
YES = {"flare": "Y", "where": "COUGH", "agreed": "Y"}
NO = {"flare": "N"}
UNCLEAR = {"flare": "U", "ask": "Is there a scan?"}


class Court:
    """What people do about an event of PUMCH-001, each in a transaction of their own."""

    def __init__(self, database, by):
        self.database = database
        self.by = by

    def report(self, given=EVENT, number=1, form="ev", visit="BL", reason=None):
        with self.database.write() as session:
            found = lookup.entry(
                session, people.CARL, STUDY_ID, "PUMCH-001", visit, form, number,
                Right.ENTRY_WRITE, lock=True,
            )  # fmt: skip
            entries.save(
                session, self.by(people.CARL), found, {k: Given(v) for k, v in given.items()},
                seen_version=found.version, reason=reason, complete=True,
            )  # fmt: skip

    def manage(self, act, *args, number=1, **more):
        """Have the data manager do something to a case."""
        with self.database.write() as session:
            found = cases.find(session, people.DORA, STUDY_ID, number, lock=True)
            return act(session, self.by(people.DORA), found, *args, **more)

    def put_to_the_vote(self):
        self.manage(assembling.assemble)
        self.manage(assembling.complete, {})
        self.manage(seats.assign, [people.ADAM.id, people.EVE.id])

    def vote(self, actor, given, number=1):
        with self.database.write() as session:
            seat = voting.find(session, actor, STUDY_ID, number, lock=True)
            by = self.by(actor)
            seat = voting.save(
                session, by, seat, {k: Given(v) for k, v in given.items()},
                seen_version=seat.vote.version,
            )  # fmt: skip
            return voting.sign(session, by, seat, zone="Asia/Shanghai")

    def case(self, number=1):
        with self.database.read() as session:
            return cases.find(session, people.DORA, STUDY_ID, number)

    def seat(self, actor, number=1):
        with self.database.read() as session:
            return voting.find(session, actor, STUDY_ID, number)
