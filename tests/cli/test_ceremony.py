"""`ecrf randomization ceremony`: a list from specification to two signatures, by commands."""

# ruff: noqa: F811

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner

from ecrf.cli import main
from ecrf.kernel import accounts, chance, clock
from ecrf.kernel.access import Grant, Role
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.study import strata
from randomization import api as lists_api
from tests.cli.test_randomization import place  # noqa: F401
from tests.people import NOON, STUDY

PASSWORD = "a long enough phrase"
HOUR = timedelta(hours=1)
SEAL = ["--source", "NIST", "--words", "pulse 9", "--known-from", "2026-03-02T06:00"]
VALUE = "7e" * 64


@pytest.fixture
def time(monkeypatch):
    """What the clock says, to be set forward."""
    now = [NOON]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return now


@pytest.fixture
def run(place, time):
    """Call a command of the ceremony as somebody; Stan is the unblinded statistician."""
    database = Database(place.database_url)
    by = By(accounts.NOBODY, NOON, Origin.COMMAND, chance.system)
    with database.write() as session:
        stan = accounts.add(session, by, "stan", "Stan", PASSWORD)
        accounts.give(session, by, stan, Grant(STUDY, Role.STATISTICIAN), "test")
    database.dispose()

    def call(who, command, *arguments, password=PASSWORD, environment="test"):
        data = {"ECRF_DATA_DIR": str(place.data_dir), "ECRF_ENVIRONMENT": environment}
        line = ["randomization", "ceremony", command, *map(str, arguments)]
        line += [STUDY, "--as", who] if who else []
        line += ["--password", password] if who and command != "record" else []
        return CliRunner(env=data).invoke(main, line)

    return call


def good(answer):
    assert answer.exit_code == 0, answer.output
    return answer.output


def made(run, time, **other):
    good(run("stan", "specify", "--block", 4, "--block", 6, "--slots", 12, **other))
    first = good(run("stan", "seal", *SEAL, **other))
    good(run("stan", "announce", "--filed", "Registry", **other))
    time[0] += 2 * HOUR
    good(run("stan", "beacon", "--value", VALUE, **other))
    return first, good(run("stan", "generate", **other))


def again(run, place, tmp_path, *more, **other):
    sealed = tmp_path / "sealed.json"
    good(run("stan", "export", "--out", sealed, **other))
    assert sealed.stat().st_mode & 0o077 == 0
    key = ["--key-file", place.vault_key_file]
    found = json.loads(good(run("", "reproduce", sealed, *key, *more, "--json")))
    return ["--root", found["root"], "--check", found["check"], "--where", "Laptop 2"]


@pytest.mark.req("RA-01")
def test_a_list_goes_through_its_whole_ceremony_in_production(run, place, time, tmp_path):
    live = {"environment": "production"}
    first, second = made(run, time, **live)
    assert "beacon: NIST: pulse 9\n" in first
    assert f"beacon value: {VALUE}\n" in second
    assert "environment: production\n" in second
    good(run("stan", "publish", "--filed", "Ethics committee", **live))
    found = again(run, place, tmp_path, **live)
    assert "did not make the list" in run("stan", "confirm", *found, **live).output
    assert good(run("dora", "confirm", *found, **live)) == "The same root.\n"
    assert good(run("dora", "activate", **live)) == "1 of 2 have signed.\n"
    assert good(run("stan", "activate", **live)) == "2 of 2 have signed.\n"
    minutes = good(run("dora", "record", "minutes", **live))
    assert "Laptop 2" in minutes
    paper = tmp_path / "minutes.pdf"
    good(run("dora", "record", "minutes", "--out", paper, **live))
    assert paper.read_bytes().startswith(b"%PDF-")
    assert not re.search(r"\b(MMF|PBO)\b|permuted", first + second + minutes)
    short = CliRunner(
        env={"ECRF_DATA_DIR": str(place.data_dir), "ECRF_ENVIRONMENT": "production"}
    )
    line = ["randomization", "generate", STUDY, "--block", "4", "--list", "2", "--as", "stan"]
    assert "by its ceremony" in short.invoke(main, line).output


def test_each_step_is_signed_with_the_password_by_who_may(run, time):
    specify = ["--block", "4", "--slots", "12"]
    assert "is not right" in run("stan", "specify", *specify, password="a guess").output
    assert "does not include this step" in run("dora", "specify", *specify).output
    good(run("stan", "specify", *specify))
    assert "is no moment" in run("stan", "seal", *SEAL[:4], "--known-from", "soon").output
    assert (
        "in the future" in run("stan", "seal", *SEAL[:4], "--known-from", "2026-01-01").output
    )
    good(run("stan", "seal", *SEAL))
    later = [*SEAL[:2], "--words", "pulse 10", "--known-from", "2026-03-03T06:00+08:00"]
    assert "beacon: NIST: pulse 10\n" in good(run("stan", "replan", *later))
    assert "Something comes first" in run("stan", "beacon", "--value", VALUE).output
    good(run("stan", "abandon", "--reason", "a rehearsal"))
    assert "was abandoned" in run("stan", "announce", "--filed", "x").output


def test_a_specification_comes_from_a_file_of_the_same_environment_and_study(
    run,
    place,
    time,
    tmp_path,
    study,
):
    ratio = tuple(study.randomization.ratio.items())

    def spec(**other):
        given = {
            "study": STUDY, "version": 1, "environment": "test", "scheme": "big_stick",
            "ratio": ratio, "options": {"bound": (3,)}, "strata": strata.names(study),
            "slots": 12,
        }  # fmt: skip
        path = tmp_path / "spec.json"
        path.write_text(lists_api.Spec(**{**given, **other}).canonical())
        return run("stan", "specify", "--file", path)

    assert "this vault is for test" in spec(environment="production").output
    assert "are not those of" in spec(strata=("all",)).output
    assert "are not those of" in spec(study="another").output
    good(spec())
    (tmp_path / "none.json").write_text("{}")
    assert run("stan", "specify", "--file", tmp_path / "none.json").exit_code == 2


def test_another_root_ends_with_exit_status_one_and_a_slip_is_no_root(
    run, place, time, tmp_path
):
    made(run, time)
    found = again(run, place, tmp_path)
    slip = run("dora", "confirm", *found[:3], "00000000", *found[4:])
    assert slip.exit_code == 1
    assert "do not belong together" in slip.output
    sealed = json.loads((tmp_path / "sealed.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps({**sealed, "beacon": "other"}))
    key = ["--key-file", place.vault_key_file]
    printed = good(run("", "reproduce", tmp_path / "other.json", *key))
    root = re.search("merkle root: (.*)", printed)[1]
    check = re.search("check value: (.*)", printed)[1]
    other = run("dora", "confirm", "--root", root, "--check", check, "--where", "Laptop 3")
    assert other.exit_code == 1
    assert "can never be activated" in other.output


def test_a_list_made_elsewhere_is_imported_and_made_again_from_its_file(
    run,
    place,
    time,
    tmp_path,
    study,
):
    text = io.StringIO()
    rows = [(s, n, ("MMF", "PBO")[n % 2]) for s in strata.names(study) for n in range(1, 13)]
    csv.writer(text).writerows([("stratum", "position", "arm"), *rows])
    path = tmp_path / "list.csv"
    path.write_text(text.getvalue())
    good(run("stan", "specify", "--imported", "--slots", 12))
    checked = good(run("stan", "import", path, "--check"))
    assert "6 of 6 strata keep the ratio" in checked
    bad = tmp_path / "bad.csv"
    bad.write_text(text.getvalue().replace("MMF", "mmf", 1))
    assert "Line 3, column 3 (arm): write one of MMF, PBO." in run("stan", "import", bad).output
    shown = good(run("stan", "import", path))
    assert "file hash: " in shown
    assert not re.search(r"\b(MMF|PBO)\b", checked + shown)
    found = again(run, place, tmp_path, "--file", path)
    assert good(run("dora", "confirm", *found)) == "The same root.\n"
