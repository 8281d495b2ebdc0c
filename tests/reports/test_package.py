"""A package: complete, blinded, the same bytes again, readable without this software."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from sqlalchemy import select

from ecrf.kernel import keys, notes
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER
from ecrf.study import canonical, versions
from ecrf.study.model import Study
from forms.tables import Entry
from reports import made, package, verify
from tests import people
from tests.forms.test_locking import _freeze, _lock, _unlock
from tests.forms.trial import FINGERPRINT, STUDY_ID, TRIAL
from tests.reports.conftest import FORMULA

EXPECTED = {
    "MANIFEST.json", "SHA256SUMS", "SIGNATURE.txt", "README.txt", "verify.py",
    "definition.json", "dictionary.csv", "codelists.csv", "participants.csv",
    "strata_corrected.csv", "visits.csv",
    "deviations.csv", "queries.csv", "query_messages.csv", "signatures.csv", "sites.csv",
    "people.csv", "data/vs.csv", "data/gr.csv", "data/gr_organs.csv", "data/dm.csv",
    "data/ae.csv", "ledger/acts.ndjson", "ledger/heads.ndjson", "ledger/checkpoint.txt",
    "ledger/public-key.txt",
}  # fmt: skip


def _table(path, name):
    with zipfile.ZipFile(path) as zipped:
        text = zipped.read(name).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _manifest(path):
    with zipfile.ZipFile(path) as zipped:
        return json.loads(zipped.read("MANIFEST.json"))


@pytest.mark.req("EX-01")
def test_a_package_holds_every_file_and_is_good(packed):
    with zipfile.ZipFile(packed.path) as zipped:
        assert set(zipped.namelist()) == EXPECTED
        assert zipped.testzip() is None
    result = verify.verify(str(packed.path))
    assert result.faults == ()
    assert (result.entries, result.signed) == (4, True)


@pytest.mark.req("LK-03")
def test_the_manifest_says_what_the_package_is(packed, locked):
    said = _manifest(packed.path)
    assert (said["study"], said["fingerprint"]) == (STUDY_ID, FINGERPRINT)
    assert said["lock"] == {"id": locked[1], "scope": "study", "target": STUDY_ID}
    assert said["as_of"] == "2026-03-02T04:00:00.000000+00:00"
    assert said["ledger"]["checkpoint"] == packed.checkpoint
    assert said["files"]["data/vs.csv"]["rows"] == 2
    assert said["files"]["data/gr_organs.csv"]["rows"] == 3


def test_the_sums_are_those_of_sha256sum(packed):
    with zipfile.ZipFile(packed.path) as zipped:
        sums = zipped.read("SHA256SUMS").decode().splitlines()
        for line in sums:
            digest, name = line.split("  ")
            assert hashlib.sha256(zipped.read(name)).hexdigest() == digest
    assert {line.split("  ")[1] for line in sums} == EXPECTED - {"SHA256SUMS", "SIGNATURE.txt"}


def test_a_row_carries_value_label_reported_text_unit_and_missing_reason(packed):
    scr, bl = _table(packed.path, "data/vs.csv")
    assert (scr["participant"], scr["visit"], scr["visit_date"]) == (
        "PUMCH-001", "SCR", "2026-02-20",
    )  # fmt: skip
    assert (scr["weight"], scr["weight__text"], scr["weight__unit"]) == ("60.2", "60200", "g")
    assert (scr["position"], scr["position__label"]) == ("SITTING", "Sitting")
    assert (scr["symptoms"], scr["symptoms__label"]) == ("COUGH,RASH", "Cough; Rash")
    assert (scr["begin"], scr["taken"], scr["signed"]) == ("2024", "2026-02-20", "Y")
    assert (bl["dbp"], bl["dbp__missing"], bl["gain"]) == ("", "ND", "1.3")
    assert scr["remark"] == "'" + FORMULA


def test_a_grid_is_a_long_table_with_every_row(packed):
    rows = _table(packed.path, "data/gr_organs.csv")
    assert [(r["row"], r["score"], r["urgent"]) for r in rows] == [
        ("LUNG", "2", "Y"),
        ("SKIN", "0", ""),
        ("CONST", "0", ""),
    ]
    assert _table(packed.path, "data/gr.csv")[0]["total"] == "4"


def test_every_column_stands_in_the_dictionary(packed):
    lines = _table(packed.path, "dictionary.csv")
    with zipfile.ZipFile(packed.path) as zipped:
        for name in sorted(EXPECTED):
            if name.startswith("data/"):
                header = zipped.read(name).decode().split("\n")[0].split(",")
                assert header == [x["column"] for x in lines if x["file"] == name]
    weight = next(x for x in lines if x["column"] == "weight")
    assert (weight["unit"], weight["units"], weight["label_zh"]) == (
        "kg", "g x 0.001", "Weight（中）",
    )  # fmt: skip
    gain = next(x for x in lines if x["column"] == "gain")
    assert gain["derived_from"] == "weight - SCR.vs.weight"


def test_queries_signatures_visits_and_people_are_listed(packed):
    (query,) = _table(packed.path, "queries.csv")
    assert (query["item"], query["status"], query["text_en"]) == (
        "dbp", "closed", "'@why no diastolic?",
    )  # fmt: skip
    said = _table(packed.path, "query_messages.csv")
    assert [m["text"] for m in said] == ["'@why no diastolic?", "cuff broken, 已核实"]
    signed = _table(packed.path, "signatures.csv")
    assert [(s["visit"], s["printed_name"], s["stands"]) for s in signed] == [
        ("SCR", "Anna Li", "Y"),
        ("BL", "Anna Li", "Y"),
    ]
    assert [p["status"] for p in _table(packed.path, "participants.csv")] == [
        "screen failed"
    ] * 2
    assert len(_table(packed.path, "visits.csv")) == 8
    assert {p["name"] for p in _table(packed.path, "people.csv")} >= {"Anna Li", "Carl Wu"}


def test_the_definition_is_the_one_with_that_fingerprint(packed):
    with zipfile.ZipFile(packed.path) as zipped:
        text = zipped.read("definition.json").decode()
    assert hashlib.sha256(text.encode()).hexdigest() == FINGERPRINT
    assert canonical.from_canonical(text) == TRIAL


def test_the_checkpoint_is_the_locks_and_signed(packed, notary):
    with zipfile.ZipFile(packed.path) as zipped:
        note = zipped.read("ledger/checkpoint.txt").decode()
        key = keys.verifier(zipped.read("ledger/public-key.txt").decode())
    assert key == notary.signer.verifier
    assert notes.stands(note, key)
    assert notes.read(note).number == packed.checkpoint


@pytest.mark.req("EX-07")
def test_the_same_lock_gives_the_same_bytes_whoever_makes_it_and_whenever(packed, locked, make):
    again = make(locked[1], people.DIRK)
    assert again.sha256 == packed.sha256
    assert again.path.read_bytes() == packed.path.read_bytes()


def test_what_came_after_the_lock_is_not_in_its_package(packed, locked, make, running, by):
    from ecrf.kernel.checkpoints import heads

    with running.read() as session:
        now = heads(session)[f"study:{STUDY_ID}"][0]
    in_package = _manifest(packed.path)["ledger"]["heads"][f"study:{STUDY_ID}"][0]
    assert now == in_package + 1


@pytest.mark.req("AT-10")
def test_every_export_is_an_act_with_the_hash_of_the_file(packed, running):
    with running.read() as session:
        (listed,) = made.listing(session, STUDY_ID)
    assert (listed.name, listed.sha256) == (packed.name, packed.sha256)
    assert hashlib.sha256(packed.path.read_bytes()).hexdigest() == listed.sha256
    assert listed.made_by == "Dora Chen"
    assert packed.path.stat().st_size == listed.bytes == packed.bytes


def test_a_cut_off_is_exported_without_any_lock(filled, make, running):
    made = make()
    result = verify.verify(str(made.path))
    assert result.faults == ()
    assert made.name == f"cutoff-{STUDY_ID}-{made.checkpoint}-blinded.zip"
    assert _manifest(made.path)["lock"] is None


def test_a_lock_of_which_a_part_was_unlocked_makes_no_package(locked, make):
    desk, lock_id = locked
    _unlock(desk)
    with pytest.raises(Conflict, match="was unlocked"):
        make(lock_id)


@pytest.mark.req("EX-04")
def test_the_package_of_a_site_holds_that_site_alone(filled, notary, make):
    lock_id = _lock(filled, notary, site="PUMCH").id
    made = make(lock_id)
    assert verify.verify(str(made.path)).faults == ()
    assert {row["site"] for row in _table(made.path, "participants.csv")} == {"PUMCH"}
    with zipfile.ZipFile(made.path) as zipped:
        assert b"BFH-001" not in b"".join(zipped.read(name) for name in zipped.namelist())


def test_only_who_may_export_does_and_only_from_a_lock_that_exists(locked, make):
    with pytest.raises(NotAllowed):
        make(locked[1], people.ANNA)
    with pytest.raises(NotFound, match="no lock 999"):
        make(999)


def test_no_package_is_made_of_a_freeze(filled, make):
    frozen = _freeze(filled).id
    with pytest.raises(NotFound):
        make(frozen)


def test_a_refused_export_leaves_no_file_and_no_act(filled, running, by, notary, tmp_path):
    folder = tmp_path / "none"
    with pytest.raises(ZeroDivisionError), running.write() as session:
        package.make(running, session, by(people.DORA), notary, folder, STUDY_ID)
        _ = 1 / 0
    assert list(folder.iterdir()) == []
    with running.read() as session:
        assert made.listing(session, STUDY_ID) == []


def test_the_packages_own_check_runs_without_this_software(packed, tmp_path):
    with zipfile.ZipFile(packed.path) as zipped:
        zipped.extract("verify.py", tmp_path)
    command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(packed.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Good: 23 files" in done.stdout
    assert "NOT checked" in done.stdout


@pytest.mark.req("AT-12")
def test_masked_items_leave_no_trace_in_a_blinded_package(locked, make, monkeypatch, running):
    """The reported weight is masked: its values, reasons and queries are gone everywhere."""
    text = canonical.canonical(TRIAL)
    definition = json.loads(text)
    body = definition["forms"][0]["sections"][1]["members"]
    next(m for m in body if m["id"] == "weight")["blinding"] = "masked"
    masked = canonical.from_canonical(json.dumps(definition))
    assert isinstance(masked, Study)
    monkeypatch.setitem(versions._KNOWN, FINGERPRINT, masked)
    made = make(locked[1])
    with zipfile.ZipFile(made.path) as zipped:
        for name in zipped.namelist():
            if name != "definition.json":
                assert b"60200" not in zipped.read(name), name
                assert b"Tippfehler" not in zipped.read(name), name
    assert _manifest(made.path)["left_out"] == [
        {"form": "vs", "item": "weight", "keys": ["weight"]}
    ]
    assert "weight" not in _table(made.path, "data/vs.csv")[0]
    assert verify.verify(str(made.path)).faults == ()


def test_the_ledger_of_the_package_is_the_ledger(packed, running):
    with zipfile.ZipFile(packed.path) as zipped:
        lines = zipped.read("ledger/acts.ndjson").decode().splitlines()
        heads = json.loads(zipped.read("MANIFEST.json"))["ledger"]["heads"]
    c = LEDGER.act.c
    with running.read() as session:
        stored = {
            (row.chain, row.seq): (row.header, json.loads(row.changes))
            for row in session.execute(select(c.chain, c.seq, c.header, c.changes))
            if row.chain in heads and row.seq < heads[row.chain][0]
        }
        count = len(session.scalars(select(Entry.id)).all())
    told = {
        (act["chain"], act["seq"]): (act["header"], act["changes"])
        for act in map(json.loads, lines)
    }
    assert told == stored
    assert count == 4
