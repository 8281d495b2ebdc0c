"""`ecrf lock`, `export`, `verify` and `ledger` on an installation with a small trial."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from ecrf.cli import main
from ecrf.kernel import clock, keys
from ecrf.kernel.db import Database
from tests import people
from tests.forms.conftest import desk, running  # noqa: F401 (fixtures)
from tests.forms.test_locking import clean  # noqa: F401 (a fixture)
from tests.forms.trial import STUDY_ID

AS = ["--as", "dora"]
SECOND = ["--as", "dirk", "--password", people.PASSWORD, "--reason", "final"]
SIGN = [*AS, "--password", people.PASSWORD, "--reason", "final"]


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Give `run(arguments…)`: the command in an installation that is this test's database."""
    home = tmp_path / "home"
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ECRF_DATA_DIR", str(home))
    monkeypatch.setenv("ECRF_DATABASE_URL", url)
    keys.make(home / "signing.key", lambda: b"7" * 32)

    def run_command(*arguments):
        return CliRunner().invoke(main, arguments)

    return run_command


def test_check_lists_what_is_in_the_way_and_ends_with_status_1(desk, run):  # noqa: F811
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    done = run("lock", STUDY_ID, "--do", "check", *AS)
    assert done.exit_code == 1, done.output
    assert "PUMCH-001/SCR/vs/1/sbp" in done.output
    as_json = json.loads(run("lock", STUDY_ID, "--do", "check", "--json", *AS).output)
    assert {b["kind"] for b in as_json["blockers"]} >= {"form", "query", "signature"}


def test_a_study_is_locked_exported_and_the_package_verified(clean, run, tmp_path):  # noqa: F811
    assert run("lock", STUDY_ID, "--do", "check", *AS).exit_code == 0
    assert run("lock", STUDY_ID, "--do", "ask", *SIGN).exit_code == 0
    assert "second person" in run("lock", STUDY_ID, *SIGN).output
    done = run("lock", STUDY_ID, *SECOND)
    assert (done.exit_code, done.output) == (0, "Done: lock 1, checkpoint 0.\n")
    made = json.loads(run("export", STUDY_ID, "--lock", "1", "--json", *AS).output)
    again = run("export", STUDY_ID, "--lock", "1", "--json", *AS, "--out", str(tmp_path / "b"))
    assert json.loads(again.output)["sha256"] == made["sha256"]
    key = run("ledger", "key").output.strip()
    good = run("verify", made["path"], "--key", key)
    assert (good.exit_code, good.output[:5]) == (0, "Good:")
    assert json.loads(run("verify", made["path"], "--json").output)["faults"] == []


def test_a_wrong_password_or_a_missing_reason_locks_nothing(clean, run):  # noqa: F811
    wrong = run("lock", STUDY_ID, *AS, "--password", "wrong", "--reason", "final")
    assert wrong.exit_code == 1
    assert "not right" in wrong.output
    bare = run("lock", STUDY_ID, *AS, "--password", people.PASSWORD)
    assert bare.exit_code == 1
    assert "reason" in bare.output


def test_freeze_and_unlock_of_one_participant(clean, run):  # noqa: F811
    part = [STUDY_ID, "--participant", "PUMCH-001"]
    assert run("lock", *part, "--do", "freeze", *SIGN).exit_code == 0
    assert run("lock", *part, "--do", "lift", *SIGN).exit_code == 0
    twice = run("lock", *part, "--do", "lift", *SIGN)
    assert twice.exit_code == 1
    assert "neither frozen nor locked" in twice.output


def test_what_is_locked_is_unlocked_by_two_and_locked_again(clean, run):  # noqa: F811
    part = [STUDY_ID, "--participant", "PUMCH-001"]
    assert run("lock", *part, *SIGN).exit_code == 0
    end = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    asked = run("lock", *part, "--do", "unlock", "--until", end, *SIGN)
    assert (asked.exit_code, asked.output) == (0, "Done: unlock 1.\n")
    assert run("lock", *part, "--do", "approve", *SECOND).exit_code == 2
    turn = [STUDY_ID, "--unlock", "1", "--do"]
    assert "second person" in run("lock", *turn, "approve", *SIGN).output
    assert run("lock", *turn, "approve", *SECOND).exit_code == 0
    again = json.loads(run("lock", *turn, "relock", *SIGN, "--json").output)["done"]
    assert (again["changes"], again["locks"]) == (0, [2])


def test_a_casebook_is_exported(clean, run):  # noqa: F811
    done = run("export", STUDY_ID, "--casebook", "PUMCH-001", "--language", "zh", *AS)
    path = done.output.splitlines()[0]
    with open(path, "rb") as file:  # noqa: PTH123
        assert file.read(5) == b"%PDF-"


def test_the_ledger_is_verified_and_a_tampered_one_named(clean, run):  # noqa: F811
    assert run("ledger", "checkpoint").exit_code == 0
    good = run("ledger", "verify")
    assert (good.exit_code, good.output.endswith("good\n")) == (0, True)
    _tamper(clean.database)
    wrong = run("ledger", "verify", "--json")
    assert wrong.exit_code == 1
    flaw = json.loads(wrong.output)["flaws"][0]
    assert (flaw["chain"], flaw["seq"]) == (f"participant:{STUDY_ID}/PUMCH-001", 1)


def _tamper(database: Database):
    with database.write() as session:
        if database.engine.dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER act_no_update"))
        else:
            session.execute(text("ALTER TABLE act DISABLE TRIGGER USER"))
        session.execute(
            text(
                "UPDATE act SET header = replace(header, 'Carl', 'Karl')"
                " WHERE chain LIKE '%PUMCH-001' AND seq = 1"
            )
        )


def test_what_is_no_package_ends_with_status_2(run, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"no")
    assert run("verify", str(path)).exit_code == 2
