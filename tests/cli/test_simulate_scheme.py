"""`ecrf randomization simulate` prints a table, or JSON, and names what is wrong."""

import json

from click.testing import CliRunner

from ecrf.cli import main

FEW = ("--participants", "24", "--trials", "20")


def run(*arguments):
    return CliRunner().invoke(main, ["randomization", "simulate", *FEW, *arguments])


def test_the_table_names_balance_guesses_and_runs():
    shown = run("--block", "4", "--block", "6").output
    for part in ("imbalance, mean", "95 % of trials", "correct guesses", "runs of equal arms"):
        assert part in shown


def test_the_figures_come_as_json_and_are_the_same_each_time():
    arguments = ("--scheme", "big_stick", "--option", "bound=3", "--json")
    first, second = run(*arguments).output, run(*arguments).output
    assert first == second
    found = json.loads(first)
    assert found["imbalance_most"] <= 3
    assert sum(found["imbalances"].values()) == 20


def test_arms_and_strata_are_taken_as_given():
    arms = ("--arm", "G1=1", "--arm", "G2=1", "--arm", "G3=1")
    found = json.loads(
        run("--block", "6", *arms, "--stratum", "P=3", "--stratum", "T=1", "--json").output
    )
    assert found["design"]["ratio"] == [["G1", 1], ["G2", 1], ["G3", 1]]


def test_what_cannot_be_is_named():
    for arguments, said in [
        (("--block", "5"), "multiple of 2"),
        (("--scheme", "big_stick"), "one bound"),
        (("--option", "bound"), "NAME=N"),
        (("--stratum", "P=0"), "number from 1"),
    ]:
        shown = run(*arguments)
        assert shown.exit_code == 2
        assert said in shown.output
