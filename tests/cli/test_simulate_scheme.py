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


FACTORS = ("--factor", "site=P:3,T:1", "--factor", "bg=Y:60,N:40")
COIN = ("--scheme", "minimise", "--option", "favour=4", "--option", "of=5")


def test_factors_make_the_strata_and_their_shares():
    found = json.loads(run("--block", "4", *FACTORS, "--json").output)
    assert found["design"]["shares"] == {
        "site=P|bg=Y": 180, "site=P|bg=N": 120, "site=T|bg=Y": 60, "site=T|bg=N": 40,
    }  # fmt: skip
    named = json.loads(run("--block", "4", "--stratum", "site=P|bg=Y=3", "--json").output)
    assert named["design"]["shares"] == {"site=P|bg=Y": 3}


def test_minimisation_and_its_coinless_kin_are_simulated():
    assert "correct guesses" in run(*COIN, *FACTORS).output
    assert json.loads(run("--scheme", "taves", *FACTORS, "--json").output)["trials"] == 20


def test_the_picture_is_a_page_or_a_drawing(tmp_path):
    import pypdf

    page, drawn = tmp_path / "scheme.pdf", tmp_path / "scheme.svg"
    assert run(*COIN, *FACTORS, "--plot", str(page)).exit_code == 0
    assert run(*COIN, *FACTORS, "--plot", str(drawn)).exit_code == 0
    text = pypdf.PdfReader(page).pages[0].extract_text()
    for part in ("minimise", "4 strata", "trials by imbalance", "correct guesses", "mean"):
        assert part in text
        assert part in drawn.read_text()
    assert drawn.read_text().count("<rect") > 4


def test_what_cannot_be_drawn_or_shared_is_named(tmp_path):
    for arguments, said in [
        (("--plot", str(tmp_path / "scheme.png")), ".pdf or .svg"),
        ((*FACTORS, "--stratum", "all=1"), "not both"),
        (("--factor", "site=P"), "number from 1"),
        ((*COIN, *FACTORS, "--option", "weights=1"), "1 weights"),
        (COIN, "name its levels"),
    ]:
        shown = run(*arguments) if "--scheme" in arguments else run("--block", "4", *arguments)
        assert shown.exit_code == 2, shown.output
        assert said in shown.output
