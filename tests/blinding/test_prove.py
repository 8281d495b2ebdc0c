"""`ecrf prove`: the proof on an installation reads only, tells no arm, and can condemn."""

import base64
import gzip
import io
import json
import shutil
import zipfile

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from sqlalchemy import insert, update

from ecrf.cli import main
from ecrf.cli.proving import records, rehearsing, search
from ecrf.cli.proving.result import Outcome
from ecrf.kernel.access import Role
from ecrf.kernel.db import Database
from ecrf.kernel.people import GrantRow
from randomization import api, schema, seal
from randomization.proving import api as proving
from tests.blinding import worlds
from tests.blinding.worlds import CANARIES, NOW, STUDY
from visits.tables import Participant

SMALL = ("--participants", "4")


@pytest.fixture(scope="module")
def place(built, tmp_path_factory):
    """An installation of its own, and what its settings are."""
    folder = tmp_path_factory.mktemp("prove") / "installation"
    shutil.copytree(built / "one", folder)
    return worlds.configured(folder, built / "protocols")


@pytest.fixture
def prove(place):
    def call(*arguments):
        env = {
            "ECRF_DATA_DIR": str(place.data_dir), "ECRF_PROTOCOLS": str(place.protocols),
            "ECRF_ENVIRONMENT": "training",
        }  # fmt: skip
        return CliRunner(env=env).invoke(main, ["prove", STUDY, *SMALL, *arguments])

    return call


def outcomes(done):
    return {one["id"]: one["outcome"] for one in json.loads(done.stdout)["results"]}


def content(config):
    return {
        path.name: path.read_bytes() for path in config.data_dir.rglob("*") if path.is_file()
    }


@pytest.mark.req("L10", "BL-03", "VD-05")
def test_the_proof_passes_reads_only_and_tells_no_arm(prove, place, tmp_path):
    before = content(place)
    done = prove("--json", "--out", str(tmp_path / "proof.pdf"))
    assert done.exit_code == 0, done.output
    assert outcomes(done) == {
        "databases": "passed", "keys": "passed", "roles": "passed", "environment": "passed",
        "secrets": "passed", "names": "passed", "numbers": "passed", "guess": "not run",
        "words": "not run", "ledgers": "passed", "disclosures": "passed",
        "rehearsal": "passed", "times": "passed",
    }  # fmt: skip
    assert content(place) == before
    pages = PdfReader(tmp_path / "proof.pdf").pages
    text = "\n".join(page.extract_text() for page in pages)
    for told in (done.output, text):
        assert not any(word in told for word in CANARIES)
    assert "Proof of blinding" in text and "盲态证明" in text
    assert "What this does not prove" in text and "本报告不能证明的内容" in text
    one_list = api.published(
        worlds.api.open_vault(place, Database(place.vault_database_url)), STUDY, 1
    )
    assert one_list.root in text.replace("\n", "")


@pytest.fixture
def hidden(place):
    """The vault's key as it could lie about: as it is, coded, packed."""
    key = seal.load_keys(place.vault_key_file).wrapping
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("inner.txt", key.hex())
    return {
        "plain": b"before " + key, "hex": b"key=" + key.hex().encode(),
        "base64": base64.b64encode(key), "packed": gzip.compress(key),
        "zipped": archive.getvalue(), "twice": gzip.compress(archive.getvalue()),
    }  # fmt: skip


@pytest.mark.req("L10", "BL-02")
def test_a_key_in_clear_is_found_in_a_backup_and_not_repeated(prove, place, tmp_path, hidden):
    (tmp_path / "dump.bin").write_bytes(hidden["packed"])
    done = prove("--json", "--also", str(tmp_path))
    assert done.exit_code == 1
    assert outcomes(done)["secrets"] == "failed"
    assert "vault key in dump.bin" in done.output
    assert seal.load_keys(place.vault_key_file).wrapping.hex() not in done.output


@pytest.mark.req("L10", "BL-02")
@pytest.mark.parametrize("form", ["plain", "hex", "base64", "packed", "zipped", "twice"])
def test_a_secret_is_found_in_any_coding(place, tmp_path, hidden, form):
    secrets = search.coded([("vault key", seal.load_keys(place.vault_key_file).wrapping)])
    path = tmp_path / "dump.bin"
    path.write_bytes(hidden[form])
    assert list(search.in_files([tmp_path], set(), secrets)) == [("vault key", "dump.bin")]
    assert list(search.in_files([tmp_path], {path.resolve()}, secrets)) == []


@pytest.mark.req("L9", "AT-12")
def test_the_name_of_an_arm_in_a_row_is_found_and_not_repeated(prove, place):
    database = Database(place.database_url)
    with database.write() as session:
        some = update(Participant).where(Participant.code == "PUMCH-001")
        session.execute(some.values(receipt=f"given {CANARIES[0]} by mistake"))
    done = prove("--json")
    with database.write() as session:
        session.execute(some.values(receipt=None))
    database.dispose()
    assert outcomes(done)["names"] == "failed"
    assert "the name of an arm in participant" in done.output
    assert not any(word in done.output for word in CANARIES)


@pytest.mark.req("L16", "IA-05")
def test_a_person_who_held_roles_of_both_sides_is_named_even_when_one_has_ended(prove, place):
    database = Database(place.database_url)
    with database.write() as session:
        person = worlds.accounts.actor(session, "paul", NOW).id
        mixed = insert(GrantRow).values(
            person_id=person, study=STUDY, role=Role.COORDINATOR, site="PUMCH", starts_at=NOW,
            ends_at=NOW,
        )  # fmt: skip
        made = session.execute(mixed).inserted_primary_key
    done = prove()
    with database.write() as session:
        session.delete(session.get(GrantRow, made[0]))
    database.dispose()
    assert done.exit_code == 1
    assert "paul holds or held roles that exclude one another" in done.output


def test_p_values_are_told_as_bands_and_areas_to_the_nearest_twentieth():
    assert [records.band(p) for p in (0.5, 0.05, 0.002, 1e-9)] == [
        "> 0.1", "> 0.01", "> 0.001", "≤ 0.001",
    ]  # fmt: skip
    assert records._near(0.4723) == "0.45"


def test_what_is_not_there_is_not_run(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'vault.db'}")
    schema.create(database)
    keys = seal.make_keys(tmp_path / "key", worlds.Seeded(b"k"))
    vault = api.Vault(database, keys, "test")
    (only,) = rehearsing.results(vault, STUDY, tmp_path, 4, lambda: 0.0)
    assert only.outcome is Outcome.NOT_RUN
    found = proving.examine(vault, STUDY)
    assert found.tests == () and found.guesses == ()
    assert records._numbers(found).outcome is Outcome.NOT_RUN
    assert proving.associated(vault, STUDY, {"PUMCH-001"}) is None
    database.dispose()


def test_the_streams_of_a_pdf_are_searched():
    import zlib

    packed = zlib.compress(b"ZZCANARY1 in a stream")
    coded = base64.a85encode(packed) + b"~>"
    for stream in (packed, coded):
        pdf = b"%PDF-1.4\nstream\n" + stream + b"\nendstream"
        assert any(b"ZZCANARY1" in part for part in search.unpacked(pdf))
