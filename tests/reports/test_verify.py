"""Whoever touches a package is found out, and told where."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest

from ecrf.kernel import chain, notes
from ecrf.kernel.keys import Signer
from reports import verify
from tests.forms.trial import STUDY_ID

PUMCH = f"participant:{STUDY_ID}/PUMCH-001"


def _read(path):
    with zipfile.ZipFile(path) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def _write(path, files, *, mend=True, signer=None):
    """Write a package anew; with `mend` the sums and the manifest fit, as a forger would."""
    files = dict(files)
    if mend:
        manifest = json.loads(files["MANIFEST.json"])
        for name, facts in manifest["files"].items():
            data = files.get(name, b"")
            facts["sha256"] = hashlib.sha256(data).hexdigest()
            facts["bytes"] = len(data)
            if facts["rows"] is not None:
                facts["rows"] = _rows(name, data)
        files["MANIFEST.json"] = json.dumps(manifest, ensure_ascii=False).encode()
        sums = "".join(
            f"{hashlib.sha256(data).hexdigest()}  {name}\n"
            for name, data in sorted(files.items())
            if name not in ("SHA256SUMS", "SIGNATURE.txt")
        ).encode()
        files["SHA256SUMS"] = sums
    if signer is not None:
        body = f"ecrf package\n{hashlib.sha256(files['SHA256SUMS']).hexdigest()}\n"
        files["SIGNATURE.txt"] = notes.sign(body, signer).encode()
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return verify.verify(str(path)).faults


def _rows(name, data):
    if name.endswith(".csv"):
        return len(list(csv.reader(io.StringIO(data.decode(), newline="")))) - 1
    return data.count(b"\n")


@pytest.fixture
def files(packed):
    return _read(packed.path)


@pytest.fixture
def forged(tmp_path):
    return tmp_path / "forged.zip"


def _kinds(faults):
    return [(fault.kind, fault.where) for fault in faults]


def test_a_file_changed_in_place_is_named_first(files, forged):
    files["data/vs.csv"] = files["data/vs.csv"].replace(b"120", b"121")
    assert _write(forged, files, mend=False)[0] == ("sums", "data/vs.csv")


def test_a_file_added_or_taken_away_is_named(files, forged):
    assert _write(forged, files | {"data/extra.csv": b"a\n"}, mend=False)[0] == (
        "listed",
        "data/extra.csv",
    )
    del files["queries.csv"]
    assert ("listed", "queries.csv") in _kinds(_write(forged, files, mend=False))


def test_a_value_changed_with_mended_sums_is_found_by_the_fold(files, forged):
    files["data/vs.csv"] = files["data/vs.csv"].replace(b"PUMCH-001,BL", b"PUMCH-001,BL", 1)
    before, after = b",119,", b",129,"
    assert before in files["data/vs.csv"]
    files["data/vs.csv"] = files["data/vs.csv"].replace(before, after)
    faults = _kinds(_write(forged, files))
    assert ("fold", "data/vs.csv row 2 column sbp") in faults
    assert ("signature", "SIGNATURE.txt") in faults


def test_a_row_taken_out_of_the_data_is_found_by_the_fold(files, forged):
    lines = files["data/dm.csv"].splitlines(keepends=True)
    files["data/dm.csv"] = b"".join(lines[:-1])
    assert ("fold", "entry 1") in _kinds(_write(forged, files))


def test_a_column_taken_out_of_data_and_dictionary_is_found_by_the_fold(files, forged):
    names = files["dictionary.csv"].decode().splitlines(keepends=True)
    files["dictionary.csv"] = "".join(
        x for x in names if not x.startswith("data/dm.csv,sex")
    ).encode()
    rows = list(csv.reader(io.StringIO(files["data/dm.csv"].decode(), newline="")))
    files["data/dm.csv"] = "".join(",".join(row[:-2]) + "\n" for row in rows).encode()
    assert ("fold", "entry 1") in _kinds(_write(forged, files))


def _acts(files):
    return [json.loads(line) for line in files["ledger/acts.ndjson"].decode().splitlines()]


def _with_acts(files, acts):
    text = "".join(chain.canonical(act) + "\n" for act in acts)
    return files | {"ledger/acts.ndjson": text.encode()}


def _at(acts, name, seq):
    return next(i for i, a in enumerate(acts) if (a["chain"], a["seq"]) == (name, seq))


def test_a_changed_value_in_an_act_is_named(files, forged):
    acts = _acts(files)
    acts[_at(acts, PUMCH, 1)]["changes"][0]["new"] = {"text": "M", "value": "M"}
    assert ("content", f"{PUMCH}#1") in _kinds(_write(forged, _with_acts(files, acts)))


def test_a_value_hidden_in_an_act_is_named(files, forged):
    acts = _acts(files)
    acts[_at(acts, PUMCH, 1)]["changes"][0] = {"item": "sex", "redacted": True}
    assert ("redacted", f"{PUMCH}#1") in _kinds(_write(forged, _with_acts(files, acts)))


@pytest.mark.parametrize("way", ["header", "delete", "insert", "swap"])
def test_a_changed_removed_inserted_or_moved_act_is_named(files, forged, way):
    acts = _acts(files)
    at = _at(acts, PUMCH, 3)
    if way == "header":
        acts[at]["header"] = acts[at]["header"].replace("Carl Wu", "Carl Xu")
    elif way == "delete":
        del acts[at]
    elif way == "insert":
        acts.insert(at, acts[at - 1])
    else:
        acts[at], acts[at + 1] = acts[at + 1], acts[at]
    kind, where = _kinds(_write(forged, _with_acts(files, acts)))[0]
    number = int(where.rpartition("#")[2])
    assert (kind, where.rpartition("#")[0]) == ("chain", PUMCH)
    assert number in {"header": (3,), "delete": (4,), "insert": (2,), "swap": (4,)}[way]


def test_a_cut_tail_is_named(files, forged):
    acts = _acts(files)
    last = max(i for i, act in enumerate(acts) if act["chain"] == PUMCH)
    del acts[last]
    assert ("head", PUMCH) in _kinds(_write(forged, _with_acts(files, acts)))


def test_a_cut_tail_with_a_mended_manifest_is_found_by_the_checkpoint(files, forged):
    acts = _acts(files)
    last = max(i for i, act in enumerate(acts) if act["chain"] == PUMCH)
    before = acts[last - 1]
    del acts[last]
    manifest = json.loads(files["MANIFEST.json"])
    manifest["ledger"]["heads"][PUMCH] = [before["seq"] + 1, before["link"]]
    files["MANIFEST.json"] = json.dumps(manifest).encode()
    assert ("tree", "ledger/heads.ndjson") in _kinds(_write(forged, _with_acts(files, acts)))


def test_a_package_signed_anew_is_found_by_a_key_known_before(files, forged, notary):
    stranger = Signer("ecrf", b"9" * 32)
    files["data/vs.csv"] = files["data/vs.csv"].replace(b",119,", b",129,")
    files["ledger/public-key.txt"] = (stranger.verifier.text() + "\n").encode()
    _write(forged, files, signer=stranger)
    result = verify.verify(str(forged), notary.signer.verifier.text())
    assert ("signature", "SIGNATURE.txt") in _kinds(result.faults)


def test_a_checkpoint_with_another_root_is_named(files, forged):
    note = files["ledger/checkpoint.txt"].decode().split("\n")
    note[2] = "A" * 43 + "="
    files["ledger/checkpoint.txt"] = "\n".join(note).encode()
    found = _kinds(_write(forged, files))
    assert ("tree", "ledger/heads.ndjson") in found
    assert ("signature", "ledger/checkpoint.txt") in found


def test_a_changed_definition_is_named(files, forged):
    files["definition.json"] = files["definition.json"].replace(b"Systolic", b"Sistolic")
    assert ("definition", "definition.json") in _kinds(_write(forged, files))


def test_no_flipped_bit_changes_a_file_unnoticed(packed, forged, files):
    data = packed.path.read_bytes()
    noticed = 0
    for place in range(40, len(data), len(data) // 60):
        forged.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            faults = verify.verify(str(forged)).faults
        except verify.NoPackage:
            faults = ("unreadable",)
        if not faults:
            assert _read(forged) == files, place
        noticed += bool(faults)
    assert noticed > 40


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_package_ends_with_status_2(forged, content, capsys):
    forged.write_bytes(content)
    assert verify.main([str(forged)]) == 2
    assert "is no package" in capsys.readouterr().err


def test_a_missing_file_and_a_wrong_call_end_with_status_2(tmp_path, capsys):
    assert verify.main([str(tmp_path / "none.zip")]) == 2
    assert verify.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_status_says_good_or_wrong(packed, files, forged, capsys):
    assert verify.main([str(packed.path)]) == 0
    files["README.txt"] += b"\n"
    _write(forged, files, mend=False)
    assert verify.main([str(forged)]) == 1
    assert "README.txt is not the file that SHA256SUMS lists." in capsys.readouterr().out


def test_the_verifier_counts_as_the_kernel_does():
    change = {"item": "x", "old": None, "new": {"text": "é"}, "salt": "00" * 16}
    assert verify._commitment(change) == chain.commitment(change)
    assert verify._follow(chain.GENESIS, "header") == chain.follow(chain.GENESIS, "header")
    for count in range(9):
        leaves = [str(n).encode() for n in range(count)]
        hashed = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
        assert verify._tree(hashed) == chain.tree_root(leaves)


def test_the_verifier_imports_nothing_of_this_software():
    code = "import runpy,sys; runpy.run_path(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, verify.__file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
