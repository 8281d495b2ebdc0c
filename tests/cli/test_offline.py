"""`ecrf randomization offline-…`: cards for a code break by telephone, as files and records."""

import json
import re
import stat
from io import BytesIO

import pypdf
import pytest
from sqlalchemy import update

from ecrf.kernel import accounts, chance
from ecrf.kernel.access import Grant, Role
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import Site
from tests.cli.test_randomization import GENERATE, place, run  # noqa: F401
from tests.people import NOON, STUDY

PHRASE = "a long enough phrase"
SHARE = re.compile(r"(R[0-9]{7})\s+([0-9]{3} [0-9]{3})")


@pytest.fixture
def called(place, run):  # noqa: F811
    """A list, the statistician stan, the investigator anna and the coordinator bo."""
    database = Database(place.database_url)
    by = By(accounts.NOBODY, NOON, Origin.COMMAND, chance.system)
    with database.write() as session:
        for name, role, site in (
            ("stan", Role.STATISTICIAN, None),
            ("anna", Role.INVESTIGATOR, "PUMCH"),
            ("bo", Role.COORDINATOR, "PUMCH"),
        ):
            person = accounts.add(session, by, name, name.title(), PHRASE)
            accounts.give(session, by, person, Grant(STUDY, role, site), "test")
        session.execute(update(Site).values(open=True))
    database.dispose()
    for step in (
        GENERATE,
        ("publish", STUDY, "--as", "alma"),
        ("activate", STUDY, "--as", "alma"),
    ):
        done = run(*step)
        assert done.exit_code == 0, done.output
    return run


def pack(run, out, *more):  # noqa: F811
    return run(
        "offline-pack", STUDY, "PUMCH", "--for", "slots", "--desk", "+86 10 120",
        "--out", str(out), "--as", "stan", *more,
    )  # fmt: skip


def card(run, outcome, *more, who="anna", number="3"):  # noqa: F811
    return run(
        "offline-card", STUDY, "1", number, outcome, "--as", who, "--password", PHRASE, *more
    )  # fmt: skip


def pages(file):
    reader = pypdf.PdfReader(BytesIO(file.read_bytes()))
    return "\n".join(page.extract_text() for page in reader.pages)


def shares(file):
    return {about: share.replace(" ", "") for about, share in SHARE.findall(pages(file))}


def added(one, other):
    """Add digit by digit and forget tens, as a person does at the telephone."""
    return "".join(str((int(a) + int(b)) % 10) for a, b in zip(one, other, strict=True))


@pytest.mark.req("BL-07")
def test_the_three_files_are_for_nobody_else_and_no_single_one_tells_an_arm(called, tmp_path):
    done = pack(called, tmp_path / "pack")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith("pack 1: ")
    files = {file.name: file for file in (tmp_path / "pack").iterdir()}
    assert sorted(files) == ["desk-list.pdf", "instructions.pdf", "site-cards.pdf"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files.values())
    assert "+86 10 120" in pages(files["site-cards.pdf"])
    site, desk = (shares(files[name]) for name in ("site-cards.pdf", "desk-list.pdf"))
    assert site.keys() == desk.keys() and len(site) > 80
    sums = [added(site[about], desk[about]) for about in site]
    assert set(sums) == {"111111", "222222"}
    assert not SHARE.search(pages(files["instructions.pdf"]))
    again = pack(called, tmp_path / "pack")
    assert again.exit_code == 2 and "is not empty" in again.output


def test_a_folder_stays_empty_when_the_person_may_not_make_cards(called, tmp_path):
    done = called(
        "offline-pack", STUDY, "PUMCH", "--for", "slots", "--desk", "1", "--out",
        str(tmp_path / "pack"), "--as", "bo",
    )  # fmt: skip
    assert done.exit_code == 1
    assert not (tmp_path / "pack").exists()


def test_drills_and_what_became_of_cards_are_written_down_and_listed(called, tmp_path):
    pack(called, tmp_path / "pack")
    assert "None." in called("offline-cards", STUDY, "--drills").output
    done = card(called, "drill", "--note", "Desk answered within two minutes")
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"card 3 of pack 1 \(.+\): drill\n", done.output)
    drills = json.loads(called("offline-cards", STUDY, "--drills", "--json").output)
    assert [(drill["card"], drill["by_name"]) for drill in drills] == [(3, "Anna")]
    packs = json.loads(called("offline-cards", STUDY, "--json").output)
    assert packs[0]["outcomes"]["drill"] == 1
    assert card(called, "intact", who="bo").exit_code == 1
    assert "no card 9999" in card(called, "intact", number="9999").output


def test_an_opened_card_needs_its_reason_and_somebody_who_has_it(called, tmp_path):
    pack(called, tmp_path / "pack")
    bare = card(called, "opened")
    assert bare.exit_code == 2 and "--why and --reason" in bare.output
    nobody = card(called, "opened", "--why", "overdose", "--reason", "Sixty tablets")
    assert nobody.exit_code == 1 and "Nobody has" in nobody.output
    wrong = called(
        "offline-card", STUDY, "1", "3", "drill", "--as", "anna", "--password", "guessed"
    )
    assert wrong.exit_code == 1


def test_two_shares_are_added_without_an_installation(run):  # noqa: F811
    refused = run("combine", "12", "34")
    assert refused.exit_code == 1 and "Traceback" not in refused.output
