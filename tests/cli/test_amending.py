"""An amendment by command: counted, in force at a site, tried dry, applied by the worker."""

import pytest
from click.testing import CliRunner

from ecrf.cli import main
from tests import people
from tests.forms.amending.amended import approve
from tests.forms.conftest import Desk
from tests.forms.trial import begin

WHO = ("--as", "dora")
DAYS = ("--ethics-on", "2026-02-10", "--effective-on", "2026-03-01", "--reference", "EC 12")


@pytest.fixture
def ecrf(database, draw, by, monkeypatch, tmp_path):
    """Give `ecrf(*words)` on the small trial, whose version 2 is approved."""
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ECRF_DATABASE_URL", url)
    monkeypatch.setenv("ECRF_DATA_DIR", str(tmp_path / "var"))
    desk = Desk(begin(database, draw), by)
    desk.save({"sbp": "150", "dbp": "70"}, visit="SCR", complete=True)
    with database.write() as session:
        approve(session, by(people.DORA))

    def run(*words):
        return CliRunner().invoke(main, list(words), input=f"{people.PASSWORD}\n")

    return run


@pytest.mark.req("F7")
def test_an_amendment_is_tried_put_in_force_and_applied_at_one_site(ecrf):
    """F7: nothing is changed before it was asked for."""
    place = (people.STUDY, "PUMCH")
    assert "moved                1" in ecrf("study", "try", *place).output
    assert "150 is unusual" in ecrf("study", "try", *place, "--lines").output
    early = ecrf("study", "apply", *place, *WHO)
    assert (early.exit_code, "not in force" in early.output) == (1, True)
    done = ecrf("study", "adopt", *place, "--version", "2", *DAYS, *WHO)
    assert "is in force at PUMCH from 2026-03-01" in done.output, done.output
    assert "waits for a worker" in ecrf("study", "apply", *place, *WHO).output
    assert "1 job(s) done" in ecrf("worker", "--once").output
    assert "moved                0" in ecrf("study", "try", *place).output
    unknown = ecrf("study", "adopt", *place, "--version", "9", *DAYS, *WHO)
    assert (unknown.exit_code, "no approved version 9" in unknown.output) == (1, True)
