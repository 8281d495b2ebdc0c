"""What paper and the committee get to see of an item that is answered by a file. Pure."""

import json
from types import SimpleNamespace

from forms.adjudicating import dossier
from forms.answers import Answer
from reports import say
from reports.blank.asking import pieces
from reports.blank.wording import Tongue
from tests.forms.attached import trial_with_file

SHA = "ab" * 32
ANSWER = Answer(f"CT 1.pdf sha256:{SHA}", "", SHA)
STUDY = trial_with_file()
CELL = STUDY.forms["vs"].cells["scan"]


def test_paper_prints_the_name_and_the_beginning_of_the_hash():
    printed = say.answer(STUDY, CELL.question, ANSWER._asdict(), "en")
    assert printed == f"CT 1.pdf (sha256 {SHA[:12]}…)"


def test_a_blank_form_has_a_line_for_the_name():
    assert [piece.kind for piece in pieces(CELL.question, STUDY, Tongue("en"))] == ["line"]


def test_a_dossier_leaves_files_out_because_nobody_can_redact_them():
    rule = SimpleNamespace(
        dossier=SimpleNamespace(drop=(), hide_site_opinion=False, opinion=())
    )
    answers = {"scan": ANSWER, "sbp": Answer("120", "", "120")}
    source = dossier.Source(1, 1, STUDY, "vs", "BL", "BL", 1, None, answers)
    [part] = json.loads(dossier.content(rule, "C-1", [source]))["parts"]
    assert [line["label"]["en"] for line in part["lines"]] == ["Systolic"]
