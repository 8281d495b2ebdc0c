"""`ecrf study`: what is printed, and with which exit status."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select

from ecrf.cli import main
from ecrf.kernel.access import Role
from ecrf.kernel.people import GrantRow, Person
from ecrf.study import versions
from ecrf.study.canonical import fingerprint
from tests import people
from tests.study.tiny import Folder


@pytest.fixture
def tiny(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def ecrf():
    """Give `ecrf(*words)`: the outcome of that command line."""

    def run(*words, **options):
        return CliRunner().invoke(main, ["study", *map(str, words)], **options)

    return run


@pytest.fixture
def installation(database, monkeypatch, tmp_path):
    """The settings name the database of the test; Dora and Dirk may approve the tiny study."""
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ECRF_DATABASE_URL", url)
    monkeypatch.setenv("ECRF_DATA_DIR", str(tmp_path / "var"))
    with database.write() as session:
        session.execute(
            insert(GrantRow),
            [
                {
                    "person_id": person.id,
                    "study": "tiny",
                    "role": Role.DATA_MANAGER,
                    "starts_at": people.START,
                }
                for person in (people.DORA, people.DIRK)
            ],
        )
    return database


def test_check_of_a_sound_study_prints_its_fingerprint_and_exits_0(ecrf, tiny):
    outcome = ecrf("check", tiny.study)
    assert outcome.exit_code == 0
    assert outcome.output == f"tiny 1: {fingerprint(tiny.read().study)}\n"


def test_check_prints_every_error_with_its_place_and_exits_1(ecrf, tiny):
    tiny.change("tiny/forms/dm.yaml", "codes: sex", "codes: sexx")
    tiny.change("tiny/forms/ie.yaml", "given(total)", "given(totl)")
    outcome = ecrf("check", tiny.study)
    assert outcome.exit_code == 1
    assert outcome.output.replace(f"{tiny.root}/", "").splitlines() == [
        "tiny/forms/dm.yaml:11:16: error: There is no code list sexx. Did you mean sex?",
        "tiny/forms/ie.yaml:27:18: error: The form ie has no item totl. Did you mean total?",
    ]


def test_check_of_a_study_with_warnings_exits_0(ecrf, tiny):
    tiny.change("tiny/schedule.yaml", "  mh: {SCR: R}\n", "")
    outcome = ecrf("check", tiny.study)
    assert outcome.exit_code == 0
    assert "study.yaml:16:17: warning: The form mh is due at no visit." in outcome.output


def test_check_prints_json(ecrf, tiny):
    tiny.change("tiny/forms/dm.yaml", "codes: sex", "codes: sexx")
    outcome = ecrf("check", tiny.study, "--json")
    printed = json.loads(outcome.output)
    assert outcome.exit_code == 1
    assert printed["study"] is None
    [finding] = printed["findings"]
    assert (finding["severity"], finding["line"], finding["column"]) == ("error", 11, 16)
    assert finding["file"].endswith("tiny/forms/dm.yaml")
    assert finding["message"] == "There is no code list sexx. Did you mean sex?"


@pytest.mark.parametrize("command", ["check", "approve --as dora --password x"])
def test_a_folder_without_a_study_exits_2(ecrf, tiny, command):
    outcome = ecrf(*command.split(), tiny.library)
    assert outcome.exit_code == 2
    assert "holds no study.yaml" in outcome.output


def test_a_folder_that_is_not_there_exits_2(ecrf, tiny):
    assert ecrf("check", tiny.root / "nowhere").exit_code == 2


def test_diff_prints_what_changes_in_plain_words(ecrf, tiny, tmp_path):
    other = Folder(tmp_path / "other")
    other.change("library/forms/vs.yaml", '["50", "300"]', '["50", "290"]')
    outcome = ecrf("diff", tiny.study, other.study)
    assert outcome.exit_code == 0
    assert outcome.output == "item sbp of form vs: hard upper limit 300 -> 290\n"
    printed = json.loads(ecrf("diff", tiny.study, other.study, "--json").output)
    assert printed[0]["form"] == "vs"


def test_diff_of_a_definition_with_errors_exits_1(ecrf, tiny, tmp_path):
    other = Folder(tmp_path / "other")
    other.change("tiny/forms/dm.yaml", "codes: sex", "codes: sexx")
    outcome = ecrf("diff", tiny.study, other.study)
    assert outcome.exit_code == 1
    assert "There is no code list sexx" in outcome.output


def test_two_people_approve_with_their_passwords(ecrf, tiny, installation):
    first = ecrf("approve", tiny.study, "--as", "dora", input=f"{people.PASSWORD}\n")
    assert first.exit_code == 0, first.output
    assert "approved once; a second person has to approve" in first.output
    second = ecrf("approve", tiny.study, "--as", "dirk", input=f"{people.PASSWORD}\n")
    assert second.exit_code == 0, second.output
    assert "tiny 1 is in force" in second.output
    with installation.read() as session:
        assert versions.in_force(session, "tiny")[0] == tiny.read().study


def test_the_same_person_cannot_approve_twice(ecrf, tiny, installation):
    ecrf("approve", tiny.study, "--as", "dora", input=f"{people.PASSWORD}\n")
    outcome = ecrf("approve", tiny.study, "--as", "dora", input=f"{people.PASSWORD}\n")
    assert outcome.exit_code == 1
    assert "a second, different person has to" in outcome.output


def test_a_wrong_password_approves_nothing_and_is_written_down(ecrf, tiny, installation):
    outcome = ecrf("approve", tiny.study, "--as", "dora", input="wrong\n")
    assert outcome.exit_code == 1
    assert "The user name or the password is not right." in outcome.output
    with installation.read() as session:
        failures = select(Person.failures).where(func.lower(Person.username) == "dora")
        assert session.scalar(failures) == 1
        assert session.scalar(select(func.count(versions.ProtocolVersion.fingerprint))) == 0


def test_without_the_right_nobody_approves(ecrf, tiny, installation):
    outcome = ecrf("approve", tiny.study, "--as", "anna", input=f"{people.PASSWORD}\n")
    assert outcome.exit_code == 1
    assert "Your role does not approve the definition of tiny." in outcome.output


def test_list_names_the_studies_at_hand(ecrf, tiny, monkeypatch):
    monkeypatch.setenv("ECRF_PROTOCOLS", str(tiny.root))
    assert ecrf("list").output == "tiny  1  Tiny\n"
    monkeypatch.setenv("ECRF_LOCALE", "zh")
    assert ecrf("list").output == "tiny  1  小\n"
    [one] = json.loads(ecrf("list", "--json").output)
    assert one == {"id": "tiny", "version": "1", "title": {"en": "Tiny", "zh": "小"}}


def test_schema_describes_every_kind_of_file(ecrf):
    printed = json.loads(ecrf("schema").output)
    assert {"study.yaml", "schedule.yaml", "codes.yaml", "forms/*.yaml"} <= set(
        printed["properties"]
    )
    question = printed["$defs"]["Item"]
    assert question["additionalProperties"] is False
    assert "partial date" in printed["$defs"]["ItemType"]["enum"]


@pytest.mark.parametrize("command", ["check", "diff", "approve", "list", "schema"])
def test_every_command_has_help(ecrf, command):
    outcome = ecrf(command, "--help")
    assert outcome.exit_code == 0
    assert "Usage: " in outcome.output
