"""Paper forms carry every item of the definition, in either language, and split no row."""

import io

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from ecrf.cli import main
from ecrf.kernel.errors import NotFound
from ecrf.study.canonical import fingerprint
from reports import dictionary, paper, shape
from reports.blank import asking, book, pieces
from reports.blank.book import Asked
from reports.blank.wording import Tongue
from tests.forms.trial import FINGERPRINT, TRIAL

EN = Tongue("en")


def _draw(study, print_, **asked):
    return PdfReader(io.BytesIO(book.draw(study, print_, Asked(**asked))))


def _text(reader):
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


@pytest.mark.parametrize("form", ["ri", "relf", "ie", "lbc", "aec"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_item_of_a_form_is_on_its_paper(study, form, language):
    reader = _draw(study, fingerprint(study), form=form, language=language)
    text = _text(reader).replace(" ", "")
    for cell in study.forms[form].cells.values():
        label = cell.question.label.in_(language)
        printed = paper.printable(label.replace("\n", "")).replace(" ", "")
        assert printed in text or printed[:12] in text, cell.key


def test_every_page_says_which_study_which_version_and_how_many_pages(study):
    print_ = fingerprint(study)
    reader = _draw(study, print_, form="ri")
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert study.registry in text
        assert print_ in text
        assert f"Page {number} of {len(reader.pages)}" in " ".join(text.split())


def test_both_languages_stand_side_by_side_and_a_training_copy_is_marked():
    text = _text(_draw(TRIAL, FINGERPRINT, form="vs", language="both"))
    assert "Systolic" in text
    assert "（中）" in text
    marked = book.draw(TRIAL, FINGERPRINT, Asked("vs"), training=True)
    assert "TRAINING" in _text(PdfReader(io.BytesIO(marked)))


def test_the_book_follows_the_schedule_and_the_outline_leads_to_visits_and_forms():
    reader = _draw(TRIAL, FINGERPRINT)
    outline = [
        (one.title, [form.title for form in reader.outline[at + 1]])
        for at, one in enumerate(reader.outline)
        if not isinstance(one, list)
    ]
    assert outline == [
        ("Screening", ["Demographics", "Vital signs"]),
        ("Baseline", ["Vital signs", "Organs"]),
        ("Week 4", ["Vital signs"]),
        ("Logs", ["Adverse event"]),
    ]
    with pytest.raises(NotFound):
        book.leaves(TRIAL, Asked(form="vs", visit="LOG"))


@pytest.mark.req("DC-01")
def test_the_annotated_form_tells_what_the_dictionary_and_the_checks_say():
    text = _text(_draw(TRIAL, FINGERPRINT, annotated=True))
    squeezed = text.replace(" ", "")
    for table in shape.tables((TRIAL,)):
        for line in dictionary.lines([table]):
            assert line[1] in squeezed
            assert line[dictionary.HEADER.index("sdtm")] in squeezed
    for form in TRIAL.forms.values():
        for check in form.checks:
            assert check.id in text
            assert check.when.text in text
    assert "computed as weight - SCR.vs.weight" in text
    assert "Sitting [SITTING]" in text
    assert "hard 50 to 300" in text


def test_a_number_has_as_many_boxes_as_its_limits_need():
    cells = TRIAL.forms["vs"].cells
    assert asking.digits(cells["sbp"].question) == "999"
    assert asking.digits(cells["weight"].question) == "9999.9"


def test_a_grid_too_wide_for_its_page_becomes_cards_and_no_answer_is_cut(study):
    paper.fonts()
    narrow = [pieces.Piece("comb", "YYYY-MM-DD")]
    assert pieces.least(narrow) > 8 * pieces.CELL_WIDE
    text = _text(_draw(study, fingerprint(study), form="relf"))
    (grid,) = study.forms["relf"].grids.values()
    assert text.count("Date of imaging") == len(grid.rows)


def test_a_fillable_form_has_a_field_for_every_answer():
    fields = _draw(TRIAL, FINGERPRINT, form="vs", fillable=True).get_fields()
    names = set(fields)
    assert {".vs.sbp", ".vs.weight.unit", ".vs.position", ".vs.symptoms.COUGH"} <= names
    assert fields[".vs.position"]["/FT"] == "/Btn"
    assert fields[".vs.remark"]["/FT"] == "/Tx"
    assert ".vs.gain" not in names


def test_the_same_definition_makes_the_same_bytes():
    asked = Asked("vs", annotated=True)
    assert book.draw(TRIAL, FINGERPRINT, asked) == book.draw(TRIAL, FINGERPRINT, asked)


def test_the_command_writes_the_paper_of_a_shipped_study(tmp_path, study):
    command = ["print", study.id, "--form", "vs", "--locale", "zh", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0
    made = tmp_path / f"{study.id}-blank-vs-zh.pdf"
    assert made.read_bytes().startswith(b"%PDF")
    assert CliRunner().invoke(main, ["print", "nowhere"]).exit_code == 1
