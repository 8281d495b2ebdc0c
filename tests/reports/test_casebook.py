"""A casebook says everything, on every page who and as of when, in both languages."""

import hashlib
import io
import re
import zipfile

import pytest
from pypdf import PdfReader
from sqlalchemy import CheckConstraint

from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import NotFound
from forms.tables import Entry, Query
from reports import book, casebook, paper, printing
from reports.casebook import Casebook
from tests import people
from tests.forms.trial import FINGERPRINT, STUDY_ID
from visits.tables import Participant, Visit


def _book(desk, actor=people.ANNA):
    with desk.database.read() as session:
        return book.read(session, actor, STUDY_ID, "PUMCH-001", people.NOON)


def _draw(read, locale="en", **options):
    return Casebook(read, locale, "Anna Li", people.NOON, **options).draw()


def _pages(data):
    """Return the text of each page; where a line ends is a blank."""
    found = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
    return [" ".join(text.split()) for text in found]


@pytest.mark.req("EX-02")
def test_every_page_says_who_which_form_which_state_and_by_whom(filled):
    read = _book(filled)
    pages = _pages(_draw(read))
    assert len(pages) == 9
    for number, page in enumerate(pages, start=1):
        assert "PUMCH-001" in page
        assert "NCT05974683" in page
        assert f"Page {number} of 9" in page
        assert FINGERPRINT[:12] in page
        assert "Data as of 2026-03-02 12:00:00 (Asia/Shanghai, UTC+08:00)" in page
        assert read.head[:16] in page
        assert "Printed by Anna Li" in page
    assert "Screening (SCR) · Vital signs" in pages[2]


def test_answers_are_decoded_with_units_and_missing_reasons(filled):
    text = "\n".join(_pages(_draw(_book(filled))))
    assert "Sitting (SITTING)" in text
    assert "Cough (COUGH); Rash (RASH)" in text
    assert "60.2 kg (reported: 60200 g)" in text
    assert "— Not done (ND)" in text
    assert '=HYPERLINK("x")' in text


def test_changed_values_are_marked_and_explained(filled):
    text = "\n".join(_pages(_draw(_book(filled))))
    assert "119 [changed: 1]" in text
    assert "118 → 119" in text
    assert "Tippfehler" in text
    assert "Carl Wu (study coordinator)" in text


def test_signatures_are_printed_with_name_time_zone_meaning_and_state(filled):
    page = _pages(_draw(_book(filled)))[2]
    assert "Anna Li" in page
    assert "I have read these signs." in page
    assert "(Asia/Shanghai, UTC+08:00)" in page
    assert "stands" in page


def test_a_broken_signature_says_so(filled):
    from sqlalchemy import update

    from visits.tables import Participant

    with filled.database.write() as session:
        session.execute(update(Participant).values(status="randomized"))
    filled.save({"sbp": "121"}, "SCR", "vs", reason="reading glass", complete=True)
    page = _pages(_draw(_book(filled)))[2]
    assert "broken by a later" in page


@pytest.mark.req("EX-02")
def test_the_page_of_signatures_and_the_audit_trail_tell_every_act_in_order(filled):
    filled.save({"sbp": "121"}, "BL", "vs", reason="reading glass", complete=True)
    read = _book(filled)
    text = " ".join(_pages(_draw(read)))
    (scr,), (bl,) = [entry.signatures for entry in read.entries if entry.signatures]
    manifest = text[text.index("Printed name Time Meaning Hash State") :]
    assert scr.content_hash[:12] in manifest
    assert bl.content_hash[:12] in manifest
    assert "broken by a later" in manifest
    trail = text[text.index("No. When, who What") :]
    told = [
        "Saved: Systolic – → 118", "Saved: Systolic 118 → 119", "Tippfehler", "Signed",
        "why no diastolic?", "119 → 121 reading glass",
    ]  # fmt: skip
    at = [trail[trail.index("Baseline (BL) · Vital signs") :].find(each) for each in told]
    assert -1 not in at
    assert at == sorted(at)
    assert "Carl Wu (study coordinator)" in trail
    assert "Audit trail" not in " ".join(_pages(_draw(read, audit=False)))


def test_every_state_a_casebook_prints_has_a_word():
    for table in (Entry, Query, Visit, Participant):
        rules = " ".join(
            str(one.sqltext)
            for one in table.__table__.constraints
            if isinstance(one, CheckConstraint) and "status IN" in str(one.sqltext)
        )
        assert set(re.findall(r"'([a-z ]+)'", rules)) <= casebook.STATUS.keys()


def test_a_compact_casebook_leaves_out_what_has_no_answer(filled):
    read = _book(filled)
    full, compact = (" ".join(_pages(_draw(read, compact=c))) for c in (False, True))
    assert "Pregnant" in full
    assert "Pregnant" not in compact
    assert "Systolic" in compact


def test_the_outline_leads_to_every_form(filled):
    reader = PdfReader(io.BytesIO(_draw(_book(filled))))
    top = [one for one in reader.outline if not isinstance(one, list)]
    titles = [one.title for one in top]
    assert titles[0] == "Overview"
    assert "Baseline (BL) · Organs" in titles
    form = top[titles.index("Screening (SCR) · Vital signs")]
    assert reader.get_destination_page_number(form) == 2


def test_a_site_is_packed_one_casebook_after_the_other(filled, by):
    wanted = printing.Wanted("en", training=False, compact=True, audit=False)
    with filled.database.read() as session:
        codes = [
            *printing.at_site(session, people.DORA, STUDY_ID, "PUMCH"),
            *printing.at_site(session, people.DORA, STUDY_ID, "BFH"),
        ]
        assert printing.at_site(session, people.BO, STUDY_ID, "PUMCH") == []
    parts = list(printing.casebooks(filled.database, by(people.DORA), STUDY_ID, codes, wanted))
    assert len(parts) == 3
    packed = zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert packed.testzip() is None
    assert packed.namelist() == [
        f"casebook-{STUDY_ID}-{code}-en.pdf" for code in ("PUMCH-001", "BFH-001")
    ]


def test_the_chinese_casebook_is_chinese(filled):
    text = "\n".join(_pages(_draw(_book(filled), "zh")))
    assert "Sitting（中） (SITTING)" in text
    assert "2026年2月20日" in text
    assert "已核实" in text


def test_the_same_book_is_the_same_bytes(filled):
    read = _book(filled)
    first, second = _draw(read), _draw(read)
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    assert _draw(read, training=True) != first


def test_a_training_copy_is_marked_on_every_page(filled):
    assert all("TRAINING" in page for page in _pages(_draw(_book(filled), training=True)))


def test_another_sites_participant_is_not_found(filled):
    with pytest.raises(NotFound):
        _book(filled, people.BO)


def test_text_is_broken_at_blanks_and_between_chinese_signs():
    paper.fonts()
    for text in ("a long line of many short words " * 5, "这是一个很长的中文句子需要换行" * 5):
        lines = paper.wrap(text.strip(), 120)
        assert len(lines) > 2
        assert all(
            paper.pdfmetrics.stringWidth(x, paper.REGULAR, paper.SIZE) <= 120 for x in lines
        )
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert paper.wrap("x" * 300, 120)[0] != "x" * 300


def test_no_wrapped_text_loses_a_sign():
    paper.fonts()
    chance = Seeded(b"wrapping")
    signs = "ab c，中文 d-é"
    for _ in range(200):
        text = "".join(signs[byte % len(signs)] for byte in chance(60)).strip()
        joined = "".join(paper.wrap(text, 60))
        assert joined.replace(" ", "") == text.replace(" ", "")


def test_a_sign_the_font_lacks_is_printed_as_its_code_point():
    paper.fonts()
    assert paper.printable("a\U0001f600b") == "a[U+1F600]b"


@pytest.mark.parametrize("above", range(600, 700, 20))
def test_a_heading_never_stands_alone_at_the_foot_of_a_page(above):
    paper.fonts()
    rows = [["Organ", "Score"], *([f"organ {n}", "0"] for n in range(60))]
    story = [paper.space(above), *paper.heading("Organs", 11), paper.table(rows, (1, 1))]
    drawn = paper.document("t", paper.Head("", "{page} {pages}", ""), story, "", "")
    page = next(page for page in _pages(drawn) if "Organs" in page)
    assert "organ 0" in page
