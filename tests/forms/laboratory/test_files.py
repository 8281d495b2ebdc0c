"""A laboratory's file: looked at line by line, accepted through the one door."""

import io

import pytest
from sqlalchemy import func, select, update

from ecrf.kernel.errors import Conflict, NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER, participant_chain
from forms.answers import Given
from forms.laboratory import accepting, staging
from forms.laboratory.mapping import Reading, pairs
from forms.laboratory.staging import Upload
from forms.laboratory.tables import ResultRow
from forms.tables import Entry
from tests import people
from tests.forms.laboratory.conftest import WITH_LAB
from tests.forms.trial import STUDY_ID
from visits.tables import Visit

HOW = Reading(
    columns={"participant": "受试者", "result": "Value"},
    tests=pairs("ALT(GPT) = ALT\nPLT = PLAT"),
    units={"ukat/l": "µkat/L"}, visits={"V2": "BL"},
)  # fmt: skip
HEADER = "受试者,visit,date,test,Value,unit\n"


def stage(running, by, lines, actor=people.CARL, encoding="utf-8", header=HEADER):
    content = (header + "\n".join(lines) + "\n").encode(encoding)
    upload = Upload("march.csv", "Central lab", io.BytesIO(content))
    with running.write() as session:
        return staging.stage(session, by(actor), WITH_LAB, upload, HOW)


def rows(running, file_id):
    with running.read() as session:
        query = select(ResultRow).where(ResultRow.file_id == file_id).order_by(ResultRow.line)
        found = list(session.scalars(query))
        session.expunge_all()
        return found


def accept(running, by, file_id, reason="", actor=people.CARL, at_once=40):
    with running.write() as session:
        file = accepting.find(session, people.CARL, STUDY_ID, file_id)
        return accepting.accept(session, by(actor), file, reason, at_once)


def stored(running):
    with running.read() as session:
        return {e.form: e.answers for e in session.scalars(select(Entry))}


def documents(running):
    with running.read() as session:
        query = select(Entry.id, Entry.version, Entry.answers).order_by(Entry.id)
        return [tuple(row) for row in session.execute(query)]


@pytest.mark.req("F8")
@pytest.mark.req("L7")
def test_each_line_is_judged_and_nothing_is_changed_before_it_is_accepted(running, desk, by):
    """Users F8, L7: before and after in one table; bad codes, visits, sites, locks refused."""
    desk.save({"lbdat": "2026-03-01", "alt": "20", "plat": "200"}, form="lb")
    desk.save({"lbdat": "2026-02-20"}, visit="SCR", form="lb")
    with running.write() as session:
        at_screening = select(Visit.id).where(Visit.key == "SCR")
        session.execute(
            update(Entry).where(Entry.visit_id.in_(at_screening)).values(state="locked")
        )
    before = documents(running)
    staged = stage(running, by, [
        "PUMCH-001,V2,2026-03-01,ALT(GPT),20.0,U/L",
        "PUMCH-001,V2,2026-03-01,plt,,",
        "PUMCH-001,SCR,2026-02-20,PLT,180,",
        "BFH-001,BL,2026-03-01,PLT,180,",
        "PUMCH-099,BL,2026-03-01,PLT,180,",
        "PUMCH-001,W99,2026-03-01,PLT,180,",
        "PUMCH-001,W4,2026-03-29,PLT,180,",
        "PUMCH-001,BL,2026-03-01,XYZ,180,",
        "PUMCH-001,BL,2026-03-02,PLT,180,",
        "PUMCH-001,BL,2026-03-01,PLT,abc,",
        "PUMCH-001,BL,2026-03-01,PLT,190,furlong",
        "PUMCH-001,BL,2026-03-01,PLT,190,", "PUMCH-001,BL,2026-03-01,PLT,191,",
    ])  # fmt: skip
    got = rows(running, staged.file_id)
    wrong = [row.problem_en for row in got if row.status == "wrong"]
    for said, message in zip(
        ("locked", "no participant BFH-001", "no participant PUMCH-099", "no visit W99",
         "not due at W4", "no analyte XYZ", "2026-03-02 here, of 2026-03-01", "not a number",
         "has no unit", "Line 13 has this result already"),
        wrong, strict=True,
    ):  # fmt: skip
        assert said in message
    assert [row.status for row in got[:2]] == ["same", "same"]
    assert all(row.problem_zh for row in got if row.status == "wrong")
    assert documents(running) == before


def test_a_file_is_accepted_through_the_one_door_and_named_by_its_hash(running, desk, by):
    desk.save({"plat": "200"}, form="lb")
    staged = stage(running, by, [
        "PUMCH-001,V2,2026-03-01,ALT(GPT),2,UKAT/L", "PUMCH-001,V2,2026-03-01,PLT,74,",
        "PUMCH-001,SCR,2026-02-20,PLT,180,",
    ])  # fmt: skip
    assert [row.status for row in rows(running, staged.file_id)] == ["new", "change", "new"]
    with pytest.raises(Unacceptable, match=r"1 line\(s\) would change"):
        accept(running, by, staged.file_id)
    assert accept(running, by, staged.file_id, "Corrected report", at_once=1) == (1, 0, 1)
    assert accept(running, by, staged.file_id, at_once=1) == (1, 0, 0)
    with running.read() as session:
        entries = {
            e.visit_id: e for e in session.scalars(select(Entry).order_by(Entry.visit_id))
        }
        answers = [entry.answers for entry in entries.values()]
        acts = [row[3] for row in LEDGER.acts(
            session, chain_name=participant_chain(STUDY_ID, "PUMCH-001")
        ) if '"import"' in row[3]]  # fmt: skip
    assert sorted(a["plat"]["value"] for a in answers) == ["180", "74"]
    (baseline,) = [a for a in answers if a["plat"]["value"] == "74"]
    assert (baseline["alt"]["value"], baseline["lab_id"]["value"]) == ("120", "Central lab")
    content = rows(running, staged.file_id)
    assert {row.status for row in content} == {"done"}
    assert len([act for act in acts if '"file"' in act]) == 2
    # The very same bytes again change nothing, and say so.
    again = stage(running, by, [
        "PUMCH-001,V2,2026-03-01,ALT(GPT),2,UKAT/L", "PUMCH-001,V2,2026-03-01,PLT,74,",
        "PUMCH-001,SCR,2026-02-20,PLT,180,",
    ])  # fmt: skip
    assert again == (staged.file_id, True)
    with pytest.raises(Conflict, match="Nothing was changed"):
        accept(running, by, staged.file_id)


def test_what_changed_since_the_file_was_looked_at_is_left_alone(running, desk, by):
    staged = stage(running, by, ["PUMCH-001,BL,2026-03-01,PLT,180,"])
    desk.save({"plat": "77"}, form="lb")
    assert accept(running, by, staged.file_id) == (0, 1, 0)
    (row,) = rows(running, staged.file_id)
    assert (row.status, "since the file was staged" in row.problem_en) == ("refused", True)
    assert stored(running)["lb"]["plat"]["value"] == "77"


def test_a_file_belongs_to_who_sent_it_and_can_be_put_away(running, by):
    staged = stage(running, by, ["PUMCH-001,BL,2026-03-01,PLT,180,"])
    with running.write() as session:
        with pytest.raises(NotFound):
            accepting.find(session, people.BO, STUDY_ID, staged.file_id)
        seen = accepting.find(session, people.DORA, STUDY_ID, staged.file_id)
        with pytest.raises(Conflict, match="Only who sent"):
            accepting.accept(session, by(people.DORA), seen, "")
        accepting.drop(session, by(people.CARL), seen)
    assert stored(running) == {}
    assert not stage(running, by, ["PUMCH-001,BL,2026-03-01,PLT,180,"]).again


def test_a_file_in_the_chinese_standard_is_read_and_a_missing_column_is_named(running, by):
    line = ["PUMCH-001,V2,2026年3月1日,PLT,180,"]
    staged = stage(running, by, line, encoding="gb18030")
    (row,) = rows(running, staged.file_id)
    assert row.status in ("new", "wrong")
    assert row.code == "PUMCH-001"
    with pytest.raises(Unacceptable, match="no column for participant"):
        stage(running, by, line, header="code,visit,test,Value\n")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_ten_thousand_lines_with_five_hundred_bad_ones_name_the_bad_and_change_nothing(
    running, by
):
    good = [f"PUMCH-001,BL,2026-03-01,{'ALT(GPT)' if n % 2 else 'PLT'},{n % 90 + 10},"
            for n in range(9500)]  # fmt: skip
    bad = [f"PUMCH-{n + 100},BL,2026-03-01,PLT,180," for n in range(500)]
    staged = stage(running, by, [*good[:2], *bad, *good[2:]])
    with running.read() as session:
        absent = session.scalar(
            select(func.count()).where(
                ResultRow.file_id == staged.file_id, ResultRow.status == "wrong",
                ResultRow.problem_en.like("There is no participant%"),
            )
        )  # fmt: skip
        total = session.scalar(select(func.count()).select_from(ResultRow))
        assert session.scalar(select(func.count()).select_from(Entry)) == 0
    assert (absent, total) == (500, 10_000)


def test_a_unit_of_the_laboratory_is_read_as_ours():
    assert HOW.unit("UKAT/L") == "µkat/L"
    assert HOW.test("alt(gpt)") == "ALT"
    assert HOW.visit("v2") == "BL"
    assert Given("1") == ("1", "", "")
