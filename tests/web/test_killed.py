"""Killed at every named point, every participant ends on one slot with one answer."""

# ruff: noqa: F811 (fixtures)

import pytest
from sqlalchemy import select

from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import Origin
from forms import sweeping
from randomization import api
from randomization.tables import Allocation
from tests import processes
from tests.people import ANNA, STUDY
from tests.randomization.killing import POINTS
from tests.web.randomizing import (  # noqa: F401
    CODE,
    PAGE,
    actions,
    app,
    asked,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    stored,
    trial,
)

pytestmark = pytest.mark.race
WAITS = {"asked", "allocating", "allocated", "storing"}
GIVEN = {"allocated", "storing", "stored"}


def _die(main_url, vault_url, key_file, point):
    """Randomize the participant in a process that is killed at the point."""
    from ecrf.kernel import chance
    from ecrf.kernel.ledger import By
    from ecrf.web import randomize
    from randomization import seal
    from tests.people import NOON
    from tests.randomization import killing

    main, keeper = Database(main_url), Database(vault_url)
    vault = api.Vault(keeper, seal.load_keys(key_file), "test")
    killing.install(point, main, keeper)
    by = By(ANNA, NOON, Origin.PAGE, chance.system)
    randomize.randomize_one(main, by, randomize.Client(vault), STUDY, CODE)


def kill(trial, opened, tmp_path, point):
    urls = [
        database.engine.url.render_as_string(hide_password=False)
        for database in (trial, opened.database)
    ]
    key_file = tmp_path / "vault.key"
    doomed = processes.context().Process(target=_die, args=(*urls, key_file, point))
    doomed.start()
    doomed.join(120)
    assert doomed.exitcode == 9, point


def given(opened):
    with opened.database.read() as session:
        return session.scalars(select(Allocation.random_number)).all()


def sound(trial, opened):
    with trial.read() as session:
        assert ledger_verify.verify(session).flaws == ()
    assert api.verify(opened, STUDY).flaws == ()


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_asked_again_there_is_one_slot_and_one_answer(
    trial, opened, visitor, tmp_path, point
):
    kill(trial, opened, tmp_path, point)
    assert len(given(opened)) == (1 if point in GIVEN else 0)
    anna = visitor(ANNA)
    waits = "Asked, waiting." in anna.get(PAGE).get_data(as_text=True)
    assert waits == (point in WAITS)
    before = given(opened)
    assert confirm(anna).status_code == 303
    assert given(opened) == [stored(trial).random_number]
    assert before in ([], given(opened))
    row = stored(trial)
    assert confirm(anna).status_code == 303
    assert stored(trial) == row
    assert actions(trial).count("participant:randomize") == 1
    sound(trial, opened)


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_swept_what_was_given_is_stored_and_nothing_else(
    trial, opened, tmp_path, by, point
):
    from ecrf.cli.sweeping import Keeper
    from ecrf.kernel.accounts import NOBODY

    kill(trial, opened, tmp_path, point)
    job = by(NOBODY, origin=Origin.JOB)
    for _ in range(2):
        sweeping.sweep(trial, job, Keeper(opened), STUDY)
    known = stored(trial).random_number
    assert given(opened) == ([known] if point in GIVEN else [])
    assert actions(trial).count("participant:randomize") == (1 if point in GIVEN else 0)
    sound(trial, opened)


def test_every_named_point_is_reached():
    """A point without a place to die at would pass for survived."""
    from tests.randomization import killing

    assert killing._WHERE.keys() == POINTS.keys()
