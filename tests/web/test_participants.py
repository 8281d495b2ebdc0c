import re

import pytest
from sqlalchemy import update

from tests import people
from tests.forms.test_progress import ask, fill
from tests.visits import cases
from tests.visits.begun import begin
from tests.visits.cases import day
from tests.visits.trial import STUDY_ID
from visits.tables import KitGiven, Participant, Visit

ALL = f"/{STUDY_ID}/participants"
ONE = f"{ALL}/PUMCH-001"


@pytest.fixture
def running(database, by):
    """The database with the small trial in force; two sites are open, one is not."""
    return begin(database, by)


@pytest.fixture
def trial(running, by):
    """One participant at PUMCH, screened on 20 February and randomized on 2 March."""
    code = cases.enrol(running, by).code
    cases.hold(running, by, code, "SCR", day("2026-02-20"))
    cases.randomize(running, by, code, day("2026-03-02"))
    return running


def rows(answer):
    """Return the text of every row of the tables on a page, without its marks."""
    found = re.findall(r"<tr[ >].*?</tr>", answer.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def test_the_grid_has_a_row_for_each_participant_and_a_word_in_each_cell(trial, visitor):
    answer = visitor(people.DORA).get(ALL)
    assert answer.status_code == 200
    [head, row] = rows(answer)
    assert head.startswith("Participant Status SCR BL W2s W4")
    assert row.startswith("PUMCH-001 ◆ Randomized ◐ In progress ◇ Due ○ Not started")
    assert f'href="{ONE}/visits/W4"' in answer.text


def test_every_state_is_an_icon_and_a_word_and_a_colour(trial, visitor):
    cells = re.findall(
        r'<span class="ec-status ec-status--[a-z-]+">'
        r'<span class="ec-status__icon" aria-hidden="true">\S+</span> \w+',
        visitor(people.DORA).get(ALL).text,
    )
    assert len(cells) == 1 + len(
        ["SCR", "BL", "W2s", "W4", "W8s", "W12", "W24", "W36", "W52", "SFU", "PFU", "LOG"]
    )


def test_the_grid_shows_nobody_of_another_site(trial, by, visitor):
    cases.enrol(trial, by, people.BO, "BFH")
    assert "BFH-001" not in visitor(people.CARL).get(ALL).text
    assert "PUMCH-001" not in visitor(people.BO).get(ALL).text
    both = visitor(people.MONA).get(ALL).text
    assert "BFH-001" in both and "PUMCH-001" in both


def test_the_grid_is_narrowed_by_site_and_status(trial, by, visitor):
    cases.enrol(trial, by, people.BO, "BFH")
    dora = visitor(people.DORA)
    assert "PUMCH-001" not in dora.get(f"{ALL}?site=BFH").text
    assert "BFH-001" not in dora.get(f"{ALL}?status=randomized").text
    assert "No participant is like that." in dora.get(f"{ALL}?status=ended").text


def test_several_visits_of_one_plan_share_a_cell_with_their_number(trial, visitor):
    carl = visitor(people.CARL)
    for _ in range(2):
        assert carl.post(f"{ONE}/visits", {"plan": "UNS"}).status_code == 303
    [_, row] = rows(carl.get(ALL))
    assert "Not started 2" in row


@pytest.mark.parametrize("count", [5, 50])
def test_the_grid_costs_the_same_statements_however_many_there_are(
    running,
    by,
    visitor,
    statements,
    count,
):
    for _ in range(count):
        cases.enrol(running, by)
    dora = visitor(people.DORA)
    dora.get(ALL)
    with statements(running) as sent:
        assert dora.get(ALL).text.count("PUMCH-0") >= count
    assert len(sent) == 7


def test_a_coordinator_enrols_and_comes_to_the_new_participant(running, visitor):
    carl = visitor(people.CARL)
    assert "PUMCH-001" in carl.get(f"{ALL}/new").text
    answer = carl.post(f"{ALL}/new", {"next": "PUMCH-1"})
    assert (answer.status_code, answer.location) == (303, f"{ONE}?done=enrolled")
    assert "PUMCH-001 is enrolled." in carl.get(answer.location).text


def test_enrolling_twice_with_one_page_makes_one_participant(running, visitor):
    carl = visitor(people.CARL)
    carl.post(f"{ALL}/new", {"next": "PUMCH-1"})
    answer = carl.post(f"{ALL}/new", {"next": "PUMCH-1"})
    assert answer.status_code == 409
    assert "Another participant was enrolled at PUMCH" in answer.text
    assert carl.get(f"{ALL}/PUMCH-002").status_code == 404


def test_enrolling_at_another_site_is_refused_and_told(running, visitor):
    answer = visitor(people.CARL).post(f"{ALL}/new", {"next": "BFH-1"})
    assert answer.status_code == 404
    assert "Site BFH is not one of your sites." in answer.text


def test_an_enrolment_by_its_page_is_at_most_ten_statements(
    running,
    visitor,
    statements,
):
    carl = visitor(people.CARL)
    carl.get(f"{ALL}/new")
    with statements(running) as sent:
        assert carl.post(f"{ALL}/new", {"next": "PUMCH-1"}).status_code == 303
    assert len(sent) <= 10


def test_the_page_of_a_participant_shows_visits_windows_forms_and_logs(trial, visitor):
    fill(trial, "PUMCH-001", "LOG", "ae")
    text = visitor(people.CARL).get(ONE).text
    assert "Randomized" in text
    assert "20-Feb-2026" in text
    assert "23-Mar-2026 – 06-Apr-2026" in text
    assert "0 of 2 required" in text
    assert f'href="{ONE}/visits/SCR/dm"' in text
    assert f'href="{ONE}/visits/LOG/ae">AE 1<' in text
    assert f'href="{ONE}/visits/LOG/ae/2">Add: AE<' in text


def test_a_form_of_a_visit_without_a_date_leads_nowhere_yet(trial, visitor):
    text = visitor(people.CARL).get(f"{ONE}/visits/W4").text
    assert "Forms can be filled in once the visit has a date." in text
    assert f"{ONE}/visits/W4/vs" not in text


def test_a_form_the_study_does_not_define_yet_is_shown_without_a_link(trial, by, visitor):
    cases.hold(trial, by, "PUMCH-001", "BL", day("2026-03-02"))
    answer = visitor(people.CARL).get(f"{ONE}/visits/W4")
    assert re.search(r"Forms that come later:[^<]*CRP and ESR", answer.text)
    assert not any("CRP and ESR" in row for row in rows(answer))


def test_the_page_shows_kits_by_number_only_and_the_way_to_the_code_break(trial, visitor):
    with trial.write() as session:
        session.execute(update(Participant).values(random_number="R-4711"))
        visit = session.query(Visit).filter_by(key="BL").one()
        session.add(
            KitGiven(
                participant_id=visit.participant_id, visit_id=visit.id, number="K 83 114",
                status="assigned", at=people.NOON,
            )
        )  # fmt: skip
    anna = visitor(people.ANNA).get(ONE).text
    assert "R-4711" in anna and "K 83 114" in anna
    assert f"/vault/{STUDY_ID}/code-break?code=PUMCH-001" in anna
    assert "/code-break?code=" not in visitor(people.DORA).get(ONE).text


def test_who_may_randomize_is_led_to_it_until_it_is_done(running, by, visitor):
    code = cases.enrol(running, by).code
    led = f'href="{ONE}/randomize"'
    assert led in visitor(people.ANNA).get(ONE).text
    assert led not in visitor(people.CARL).get(ONE).text
    assert led not in visitor(people.DORA).get(ONE).text
    cases.randomize(running, by, code, day("2026-03-02"))
    assert led not in visitor(people.ANNA).get(ONE).text


@pytest.mark.parametrize(
    ("actor", "path"),
    [(people.CARL, f"/{STUDY_ID}/"), (people.DORA, ALL), (people.MONA, ALL)],
)
def test_who_enters_data_starts_at_today_and_who_reads_at_the_grid(
    running, visitor, actor, path
):
    assert visitor(actor).get("/").location == path


def test_a_visit_gets_its_date_and_a_change_asks_why(trial, visitor):
    carl, page = visitor(people.CARL), f"{ONE}/visits/BL"
    assert carl.post(page, {"act": "hold", "held_on": "t"}).location == f"{page}?done=1"
    text = carl.get(page).text
    assert "<strong>02-Mar-2026</strong> · Day 1" in text
    answer = carl.post(page, {"act": "hold", "held_on": "2026-03-01", "reason": ""})
    assert answer.status_code == 422
    assert '<a href="#hold-reason">Give a reason.</a>' in answer.text
    assert 'value="2026-03-01"' in answer.text


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("5/3/26", "5/3/26"),
        ("2026-03-03", "lies in the future"),
        ("2026-02-19", "lies before the screening on 2026-02-20"),
        ("", "Date of the visit"),
    ],
)
def test_a_date_that_cannot_be_is_refused_beside_its_input(trial, visitor, typed, message):
    answer = visitor(people.CARL).post(f"{ONE}/visits/BL", {"act": "hold", "held_on": typed})
    assert answer.status_code == 422
    assert message in answer.text
    assert 'href="#held_on"' in answer.text


def test_a_visit_out_of_its_window_is_a_deviation_on_the_page(trial, visitor):
    carl, page = visitor(people.CARL), f"{ONE}/visits/BL"
    carl.post(page, {"act": "hold", "held_on": "2026-03-01"})
    assert "1 day(s) before the window" in carl.get(page).text
    assert "Baseline was held on 2026-03-01, 1 day(s) before" in carl.get(ONE).text


def test_a_visit_is_missed_and_opened_again_with_reasons(trial, visitor):
    carl, page = visitor(people.CARL), f"{ONE}/visits/W4"
    answer = carl.post(page, {"act": "miss", "reason": " "})
    assert answer.status_code == 422
    assert 'href="#miss-reason"' in answer.text and 'id="miss-reason"' in answer.text
    assert carl.post(page, {"act": "miss", "reason": "On holiday."}).status_code == 303
    assert "Missed: On holiday." in carl.get(page).text
    assert carl.post(page, {"act": "reopen", "reason": "Came."}).status_code == 303
    assert "No date yet" in carl.get(page).text


def test_an_added_visit_may_bring_its_date_or_nothing_is_added(trial, visitor):
    carl = visitor(people.CARL)
    wrong = {"plan": "UNS", "held_on": "tomorrow"}
    assert carl.post(f"{ONE}/visits", wrong).status_code == 422
    answer = carl.post(f"{ONE}/visits", {"plan": "UNS", "held_on": "-1"})
    assert answer.location == f"{ONE}/visits/UNS-1?done=1"
    assert "01-Mar-2026" in carl.get(f"{ONE}/visits/UNS-1").text


def test_a_screen_failure_is_written_down_on_the_page(running, by, visitor):
    cases.enrol(running, by)
    carl = visitor(people.CARL)
    assert carl.post(f"{ONE}/leave", {"reason": ""}).status_code == 422
    assert carl.post(f"{ONE}/leave", {"reason": "Exclusion 4."}).status_code == 303
    assert "Screen failed" in carl.get(ONE).text


PAGES = [ALL, ONE, f"{ONE}/visits/SCR", f"/{STUDY_ID}/"]


@pytest.mark.parametrize("page", [ONE, f"{ONE}/visits/SCR"])
def test_another_site_s_participant_is_not_found_by_reading_or_writing(trial, visitor, page):
    bo = visitor(people.BO)
    assert bo.get(page).status_code == 404
    sent = {"act": "hold", "held_on": "2026-02-21", "reason": "x"}
    target = page if page != ONE else f"{ONE}/leave"
    assert bo.post(target, sent).status_code == 404
    assert cases.visit(trial, "PUMCH-001", "SCR").held_on == day("2026-02-20")


@pytest.mark.parametrize("actor", [people.DORA, people.MONA, people.AUDREY])
def test_who_only_reads_gets_no_form_and_cannot_write(trial, visitor, actor):
    reader = visitor(actor)
    text = reader.get(f"{ONE}/visits/W4").text
    assert 'name="held_on"' not in text and 'name="act"' not in text
    sent = {"act": "hold", "held_on": "2026-03-02"}
    assert reader.post(f"{ONE}/visits/W4", sent).status_code == 403
    assert reader.get(f"{ALL}/new").status_code == 403


@pytest.mark.parametrize("actor", [people.PAUL, people.ADAM, people.ALMA])
@pytest.mark.parametrize("page", PAGES)
def test_who_has_no_business_with_participants_sees_none(trial, visitor, actor, page):
    assert visitor(actor).get(page).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_another_study_is_not_found(trial, visitor, page):
    other = page.replace(STUDY_ID, "nct00000000")
    assert visitor(people.CARL).get(other).status_code == 404


def test_a_locked_participant_offers_no_change_and_says_so(trial, visitor):
    with trial.write() as session:
        session.execute(update(Participant).values(state="locked"))
    carl = visitor(people.CARL)
    text = carl.get(ONE).text
    assert "Locked" in text and "Add a visit" not in text
    answer = carl.post(f"{ONE}/visits/W4", {"act": "miss", "reason": "No."})
    assert answer.status_code == 409
    assert "PUMCH-001 W4 is locked: nothing can be changed in it." in answer.text


def test_open_queries_come_before_everything_but_locks(trial, visitor):
    ask(trial, fill(trial, "PUMCH-001", "SCR", "dm"))
    [_, row] = rows(visitor(people.DORA).get(ALL))
    assert row.startswith("PUMCH-001 ◆ Randomized ? Has queries")


@pytest.mark.parametrize("page", [*PAGES, f"{ONE}/visits/LOG"])
def test_every_page_speaks_chinese_and_has_no_inline_script_or_style(trial, visitor, page):
    text = visitor(people.CARL).get(f"{page}?lang=zh").text
    assert 'lang="zh-CN"' in text
    assert "（中）" in text
    assert "<style" not in text and " style=" not in text and "<script>" not in text
