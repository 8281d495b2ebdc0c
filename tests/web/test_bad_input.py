"""What cannot be taken, on the shipped trial: named in both languages, and nothing is kept."""

import re
from datetime import date
from html import unescape

import pytest
from sqlalchemy import func, select, update

from ecrf.kernel.access import Right
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import LEDGER, By, Origin
from ecrf.study import versions
from forms import entries
from forms import lookup as found_entries
from forms.answers import Given
from tests import people
from tests.databases import fresh
from tests.people import STUDY
from visits import lookup as found_visits
from visits import participants, visits
from visits.tables import Participant

ONE = f"/{STUDY}/participants/PUMCH-001"
SCR = f"{ONE}/visits/SCR"
VITALS = {"vsdat": "2026-03-02", "sbp": "185", "dbp": "80", "pulse": "70", "temp": "36.6"}


@pytest.fixture(scope="session")
def saved_databases(tmp_path_factory, trial_databases):
    """The trial in force; one participant whose screening is dated, their vital signs saved."""
    folder = tmp_path_factory.mktemp("saved")
    return trial_databases.further(folder / "saved.db", _save)


def _save(database):
    draw = Seeded(b"saved")

    def by(actor):
        return By(actor, people.NOON, Origin.PAGE, draw)

    with database.write() as session:
        study, fingerprint = versions.in_force(session, STUDY)
        participants.enrol(session, by(people.ANNA), study, fingerprint, "PUMCH")
    with database.write() as session:
        found = found_visits.visit(
            session, people.ANNA, STUDY, "PUMCH-001", "SCR", Right.ENTRY_WRITE
        )
        visits.hold(session, by(people.ANNA), found, date(2026, 3, 2))
    with database.write() as session:
        empty = found_entries.entry(
            session, people.CARL, STUDY, "PUMCH-001", "SCR", "vs", 1, Right.ENTRY_WRITE,
            lock=True,
        )  # fmt: skip
        given = {item: Given(text) for item, text in VITALS.items()}
        entries.save(
            session, by(people.CARL), empty, given, seen_version=0, reason=None, complete=True
        )


@pytest.fixture
def database(kind, saved_databases, tmp_path):
    yield from fresh(saved_databases, kind, tmp_path)


@pytest.fixture
def trial(database):
    return database


def acts(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(LEDGER.act))


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def chosen(page, item):
    """Return what is selected in the list of an item."""
    return re.findall(
        r'value="(\w+)" selected', page[page.index(f'id="{item}"') :].split("</select>")[0]
    )


REFUSED = {
    "a number": ("SCR/lbh", {"hgb": "13,8g"}, 422,
                 "Haemoglobin: “13,8g” is not a number. Write digits only", "血红蛋白"),
    "a date": ("SCR/lbh", {"lbdat": "5/3/26"}, 422,
               "“5/3/26” can be read in two ways. Write the year first", "采样日期"),
    "a day that is not": ("SCR/lbh", {"lbdat": "2026-02-30"}, 422,
                          "“2026-02-30” does not exist in the calendar", "采样日期"),
    "a unit": ("SCR/lbh", {"hgb": "13", "hgb.unit": "stone"}, 422,
               "Haemoglobin: “stone” is no unit of it. Possible are g/L, g/dL.", "血红蛋白"),
    "a code": ("SCR/dm", {"sex": "X"}, 422,
               "Sex: “X” is none of its codes. Possible are M, F.", "性别"),
    "a score": ("SCR/ri", {"PANCREAS.score": "7"}, 422,
                "Pancreas: Score: “7” is none of its codes. Possible are 0, 1, 2, 3.", "胰腺"),
    "a long text": ("SCR/icf", {"icf_version": "x" * 61}, 422,
                    "Version of the consent form: has 61 characters. At most 60 are kept.",
                    "知情同意书版本号"),
    "an impossible value": ("SCR/lbc", {"k": "500"}, 422, "is not possible. It must be", "钾"),
    "a version gone by": ("SCR/vs", {"sbp": "120"}, 409,
                          "Carl Wu saved this form while you had it open", "Carl Wu"),
    "a visit without a date": ("W4/vs", {"sbp": "120"}, 409,
                               "Vital signs is not due: Week 4 has no date yet.", "生命体征"),
    "a form of no visit": ("SCR/nothing", {}, 404, "There is no form NOTHING", "NOTHING"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_named_in_both_languages(trial, visitor, name):
    place, sent, status, english, chinese = REFUSED[name]
    path, anna = f"{ONE}/visits/{place}/1", visitor(people.ANNA)
    before = acts(trial)
    answer = anna.post(path, {"seen_version": "0", "act": "draft", **sent})
    assert (answer.status_code, english in words(answer)) == (status, True), words(answer)
    answer = anna.post(f"{path}?lang=zh", {"seen_version": "0", "act": "draft", **sent})
    assert chinese in words(answer)
    assert english not in words(answer)
    assert acts(trial) == before


def test_a_locked_participant_takes_nothing_on_any_path(trial, visitor):
    with trial.write() as session:
        session.execute(update(Participant).values(state="locked"))
    anna, before = visitor(people.ANNA), acts(trial)
    for path, sent in (
        (f"{SCR}/vs/1", {"seen_version": "1", "sbp": "120", "reason": "source"}),
        (f"{SCR}/dm/1", {"seen_version": "0", "sex": "M"}),
        (f"{SCR}/dm/1/not-done", {"not_done_reason": "away"}),
        (SCR, {"act": "hold", "held_on": "2026-03-01", "reason": "typed wrong"}),
        (f"{ONE}/visits", {"plan": "UNS"}),
        (f"{ONE}/leave", {"reason": "moved"}),
    ):
        answer = anna.post(path, sent)
        assert answer.status_code == 409, path
        assert "locked" in words(answer), path
    assert acts(trial) == before


@pytest.mark.parametrize("path", [ONE, SCR, f"{SCR}/vs", f"{SCR}/vs/1/history"])
def test_another_sites_participant_does_not_exist(trial, visitor, path):
    answer = visitor(people.BO).get(path)
    assert answer.status_code == 404
    assert "Carl Wu" not in answer.text


def test_eligibility_that_is_not_signed_is_named_with_its_visit_and_its_form(trial, visitor):
    page = visitor(people.ANNA).get(f"{ONE}/randomize")
    assert "No Eligibility of Baseline / randomization is complete and signed" in words(page)
    assert f'href="{ONE}/visits/BL/ie"' in page.text
    assert "Randomize now" not in page.text


def test_the_rule_of_a_query_is_told_in_words(trial, visitor):
    anna = visitor(people.ANNA)
    assert "check: unusual value" in words(anna.get(f"/{STUDY}/queries"))
    assert "数值异常" in words(anna.get(f"/{STUDY}/queries?lang=zh"))
    assert "数值异常" in words(anna.get(f"{SCR}/vs/1/history?lang=zh"))


def test_scores_show_their_number_and_computed_dates_no_format(trial, visitor):
    anna = visitor(people.ANNA)
    assert '<option value="0">0 · Normal or resolved</option>' in anna.get(f"{SCR}/ri").text
    grades = anna.get(f"{ONE}/visits/LOG/ae").text
    assert "Grade 1" in grades
    assert "1 · Grade 1" not in grades
    computed = anna.get(f"{SCR}/ie").text.split('id="igg4_dx_date-hint"')[1].split("</div>")[0]
    assert computed == ' class="govuk-hint">From: IgG4-RD history'


def test_the_button_of_the_index_fills_untouched_rows_with_score_and_damage(trial, visitor):
    sent = {"fill": "organs", "seen_version": "0", "PANCREAS.score": "1"}
    page = visitor(people.ANNA).post(f"{SCR}/ri/1", sent).text
    assert chosen(page, "LIVER.score") == ["0"]
    assert chosen(page, "LIVER.damage") == ["N"]
    assert chosen(page, "PANCREAS.score") == ["1"]
    assert chosen(page, "PANCREAS.damage") == []


def test_a_moment_in_universal_time_says_so_once(trial, visitor):
    assert "Server time 2026-03-02 04:00 UTC" in words(visitor(people.ANNA).get(ONE))
