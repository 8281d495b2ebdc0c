"""Files on the page of an entry, and in the package."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

from reports import package, verify
from tests import people
from tests.forms import trial
from tests.forms.attached import OTHER, PDF, put_in_force
from tests.forms.conftest import Desk
from tests.forms.test_locking import notary  # noqa: F401 (a fixture)
from tests.forms.trial import STUDY_ID

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
VS = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL/vs"
SHA, SHA2 = (hashlib.sha256(content).hexdigest() for content in (PDF, OTHER))
ANSWER = f"CT 1.pdf sha256:{SHA}"


@pytest.fixture
def study(monkeypatch):
    return put_in_force(monkeypatch)


@pytest.fixture
def desk(study, database, draw, by):
    return Desk(trial.begin(database, draw), by)


@pytest.fixture
def carl(desk, visitor):
    return visitor(people.CARL)


def send(person, seen, content=None, name="CT 1.pdf", **more):
    data = {"seen_version": str(seen), "act": "draft", **more}
    if content is not None:
        data["scan.upload"] = (io.BytesIO(content), name)
    return person.post(f"{VS}/1", data, content_type="multipart/form-data")


@pytest.mark.req("F6")
def test_a_file_is_sent_saved_replaced_and_handed_out_as_a_download(desk, carl, visitor):
    """F6: every version is kept and can be had, by those who may read the entry."""
    page = carl.get(VS).text
    assert 'enctype="multipart/form-data"' in page
    assert "PDF, PNG, at most 1 MB" in page
    assert send(carl, 0, PDF, sbp="120").status_code == 303
    page = carl.get(VS).text
    assert f'name="scan" value="{ANSWER}"' in page
    assert f'href="{VS}/1/files/scan/{SHA}">CT 1.pdf</a>' in page
    again = send(carl, 1, OTHER, name="CT 2.pdf", sbp="120", scan=ANSWER)
    assert (again.status_code, "Say why" in again.text) == (422, True)
    replaced = f"CT 2.pdf sha256:{SHA2}"
    assert f'name="scan" value="{replaced}"' in again.text
    # The file was kept although the save was refused: only the reason is to be given.
    given = {"reason_code": "source", "reason": "Sharper", "sbp": "120", "scan": replaced}
    assert send(carl, 1, **given).status_code == 303
    assert "Earlier files: 1" in carl.get(VS).text
    for sha, content, name in ((SHA, PDF, "CT 1.pdf"), (SHA2, OTHER, "CT 2.pdf")):
        file = visitor(people.MONA).get(f"{VS}/1/files/scan/{sha}")
        assert (file.status_code, file.data) == (200, content)
        assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.mimetype == "application/pdf"
    assert "CT 2.pdf" in visitor(people.MONA).get(VS).text
    # Another site, another form, another item: there is no such file.
    assert visitor(people.BO).get(f"{VS}/1/files/scan/{SHA}").status_code == 404
    assert visitor(people.PAUL).get(f"{VS}/1/files/scan/{SHA}").status_code == 403
    assert carl.get(f"{VS.replace('BL', 'SCR')}/1/files/scan/{SHA}").status_code == 404
    assert carl.get(f"{VS}/1/files/remark/{SHA}").status_code == 404
    gone = {**given, "reason": "Of another person", "scan.remove": "1"}
    assert send(carl, 2, **gone).status_code == 303
    assert "Earlier files: 2" in carl.get(VS).text


def test_a_file_that_cannot_be_taken_is_said_beside_its_item_and_nothing_typed_is_lost(
    desk, carl
):
    wrong = send(carl, 0, b"MZ\x90 a program", name="ct.pdf", sbp="120")
    assert wrong.status_code == 422
    assert "Report: ct.pdf is none of the kinds taken: PDF, PNG." in wrong.text
    assert 'value="120"' in wrong.text
    forged = send(carl, 0, scan=f"x.pdf sha256:{SHA}")
    assert (forged.status_code, "was not sent here" in forged.text) == (422, True)


def test_drafts_previews_and_conflicts_know_the_file_by_its_answer(desk, carl, visitor):
    anna = visitor(people.ANNA)
    assert send(anna, 0, PDF, sbp="120").status_code == 303
    typed = {"seen_version": "1", "sbp": "121", "scan": ANSWER}
    assert carl.post(f"{VS}/1/preview", typed).json["findings"]["scan"] == []
    assert carl.post(f"{VS}/1/draft?do=keep", typed).status_code == 200
    page = carl.get(VS).text
    assert "did not save it" in page
    assert f'name="scan" value="{ANSWER}"' in page
    change = {"reason_code": "source", "reason": "Chart", "sbp": "120"}
    assert send(anna, 1, OTHER, name="b.pdf", scan=ANSWER, **change).status_code == 303
    met = send(carl, 1, sbp="121", scan=ANSWER, reason_code="source", reason="Chart")
    assert met.status_code == 409
    assert f'name="scan" value="b.pdf sha256:{SHA2}"' in met.text


@pytest.mark.req("F6")
def test_a_package_lists_every_file_carries_its_bytes_and_is_good(
    study,
    desk,
    carl,
    by,
    notary,  # noqa: F811 (the fixture)
    tmp_path,
):
    """F6: the files leave with the data, named by list, manifest and ledger."""
    send(carl, 0, PDF, sbp="120")
    change = {"reason_code": "source", "reason": "Sharper", "sbp": "120", "scan": ANSWER}
    send(carl, 1, OTHER, name="=b.pdf", **change)
    database = desk.database
    with database.write() as session:
        made = package.make(database, session, by(people.DORA), notary, tmp_path, STUDY_ID)
    result = verify.verify(str(made.path))
    assert (result.faults, result.entries) == ((), 1)
    with zipfile.ZipFile(made.path) as packed:
        assert packed.read(f"files/{SHA2}.pdf") == OTHER
        said = json.loads(packed.read("MANIFEST.json"))["files"]
        listed, [line] = (
            list(csv.DictReader(io.StringIO(packed.read(name).decode())))
            for name in ("files.csv", "data/vs.csv")
        )
    assert said[f"files/{SHA}.pdf"]["sha256"] == SHA
    assert [(one["name"], one["stands"], one["file"]) for one in listed] == [
        ("CT 1.pdf", "N", f"files/{SHA}.pdf"), ("'=b.pdf", "Y", f"files/{SHA2}.pdf"),
    ]  # fmt: skip
    assert (line["scan"], line["scan__name"]) == (SHA2, "'=b.pdf")
