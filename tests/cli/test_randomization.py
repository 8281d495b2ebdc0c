"""`ecrf randomization`: the ceremony of a list on the command line, printing no arm."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from ecrf import migrations
from ecrf.cli import main
from ecrf.kernel import accounts, chance
from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.study import versions
from randomization import api
from tests.people import NOON, STUDY

GENERATE = ["generate", STUDY, "--block", "4", "--block", "6", "--as", "alma"]


@pytest.fixture
def place(tmp_path, study):
    """An installation on SQLite with the shipped trial in force and the account alma."""
    config = Config.from_env({"ECRF_DATA_DIR": str(tmp_path)})
    config.vault_key_file.parent.mkdir()
    migrations.upgrade(config.database_url, "main")
    migrations.upgrade(config.vault_database_url, "vault")
    api.make_key_file(config.vault_key_file, chance.system)
    database = Database(config.database_url)
    by = By(accounts.NOBODY, NOON, Origin.COMMAND, chance.system)
    with database.write() as session:
        accounts.set_up(session, by)
        for name in ("alma", "dora"):
            grant = Grant(STUDY, Role.DATA_MANAGER)
            person = accounts.add(session, by, name, name.title(), "a long enough phrase")
            accounts.give(session, by, person, grant, "test")
            who = Actor(person, name.title(), frozenset({grant}))
            versions.approve(session, By(who, NOON, Origin.COMMAND, chance.system), study)
    database.dispose()
    return config


@pytest.fixture
def run(place):
    def call(*arguments):
        runner = CliRunner(env={"ECRF_DATA_DIR": str(place.data_dir)})
        return runner.invoke(main, ["randomization", *arguments])

    return call


def test_a_list_is_generated_published_and_activated(run):
    made = run(*GENERATE, "--json")
    assert made.exit_code == 0, made.output
    found = json.loads(made.output)
    assert found["state"] == "draft"
    assert found["slots"] == 6 * 120
    printed = run("publish", STUDY, "--as", "alma")
    assert f"merkle root: {found['root']}" in printed.output
    assert "state: published" in printed.output
    assert "state: active" in run("activate", STUDY, "--as", "alma").output
    for output in (made.output, printed.output):
        assert "MMF" not in output
        assert "PBO" not in output
        assert "sizes" not in output


def test_a_step_out_of_order_is_refused_with_its_reason(run):
    run(*GENERATE)
    done = run("activate", STUDY, "--as", "alma")
    assert done.exit_code == 1
    assert "only a list that is published can become active" in done.output


def test_an_impossible_block_size_is_named(run):
    done = run("generate", STUDY, "--block", "5", "--as", "alma")
    assert done.exit_code == 2
    assert "multiple of 2" in done.output


def test_kits_are_stocked_for_every_arm_and_printed_in_order(run, place):
    run(*GENERATE)
    stock = ["--batch", "P-1", "--expiry", "2028-01-31", "--kits", "12", "--as", "alma"]
    done = run("stock", STUDY, "PUMCH", *stock)
    numbers = done.output.split()
    assert len(numbers) == 24
    assert numbers == sorted(numbers)
    wrong = run("stock", STUDY, "NOWHERE", *stock)
    assert wrong.exit_code == 1
    assert "PUMCH, BFH, TJH" in wrong.output
    vault = Database(place.vault_database_url)
    with vault.read() as session:
        acts = list(api.LEDGER.acts(session))
        names = session.scalars(select(api.LEDGER.act.c.action)).all()
    vault.dispose()
    assert "kit:register" in names
    assert not any("MMF" in str(act) or "PBO" in str(act) for act in acts)


def test_somebody_without_an_account_generates_nothing(run):
    done = run("generate", STUDY, "--block", "4", "--as", "nobody")
    assert done.exit_code == 1
    assert "There is no account nobody." in done.output


MINIMISE = ["generate", STUDY, "--scheme", "minimise", "--as", "alma"]


def test_a_minimised_list_goes_the_same_way_and_shows_as_much(run):
    """Factors and levels are those of the study; nothing printed tells of the scheme."""
    made = run(*MINIMISE, "--option", "favour=4", "--option", "of=5", "--option", "weights=2,1")
    assert made.exit_code == 0, made.output
    other = run(*GENERATE, "--list", "2")
    names = [
        [line.split(": ")[0] for line in shown.output.splitlines()] for shown in (made, other)
    ]
    assert names[0] == names[1]
    assert "minimise" not in made.output
    assert run("publish", STUDY, "--as", "alma").exit_code == 0
    assert run("activate", STUDY, "--as", "alma").exit_code == 0


def test_a_minimised_list_that_cannot_be_is_named(run):
    for options, said in [
        (["--option", "favour=4"], "one of"),
        (["--option", "favour=99", "--option", "of=100"], "0.6 to 0.95"),
        (["--option", "favour=4", "--option", "of=5", "--option", "weights=1"], "1 weights"),
    ]:
        shown = run(*MINIMISE, *options)
        assert shown.exit_code == 2
        assert said in shown.output
    assert run("generate", STUDY, "--scheme", "taves", "--as", "alma").exit_code == 2
