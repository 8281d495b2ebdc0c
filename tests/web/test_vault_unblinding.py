"""From the lock to the unblinded dataset: two signers, bundle, verifier, package, its check."""

import json
import re
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from ecrf.cli import main
from ecrf.kernel import keys as key_files
from ecrf.kernel.config import Config
from ecrf.web.services import Services
from ecrf.web.vault import app as vault
from randomization import api
from reports.verify import verify
from tests.forms.conftest import desk, running  # noqa: F401 (fixtures)
from tests.forms.test_locking import clean  # noqa: F401 (a fixture)
from tests.people import AUDREY, BEA, DIRK, DORA, NOON, PASSWORD, STAN, STUDY
from tests.randomization.closed.test_closed import acts
from tests.randomization.conftest import (  # noqa: F401 (fixtures)
    ARMS,
    STRATA,
    anna,
    keys,
    request_,
    stocked_databases,
    who,
)
from tests.randomization.conftest import vault as vault_fixture
from visits.tables import Participant

PAGE = f"/vault/{STUDY}/unblinding"
BUNDLE = f"{PAGE}/1/bundle.json"
ARM = re.compile("ZZCANARY")
CODES = ("PUMCH-001", "BFH-001")
opened = vault_fixture


@pytest.fixture
def run(database, opened, tmp_path, monkeypatch):
    """Give `run(arguments…)`: a command in an installation of both databases."""
    home = tmp_path / "home"
    for name, place in (("DATABASE", database), ("VAULT_DATABASE", opened.database)):
        url = place.engine.url.render_as_string(hide_password=False)
        monkeypatch.setenv(f"ECRF_{name}_URL", url)
    monkeypatch.setenv("ECRF_DATA_DIR", str(home))
    monkeypatch.setenv("ECRF_VAULT_KEY_FILE", str(tmp_path / "vault.key"))
    monkeypatch.setenv("ECRF_ENVIRONMENT", "test")
    key_files.make(home / "signing.key", lambda: b"7" * 32)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def unblinded(database, opened, draw, by, tmp_path):
    from ecrf.kernel import accounts
    from ecrf.web.routes import COOKIE
    from tests.web.conftest import Visitor

    config = Config.from_env({"ECRF_DATA_DIR": str(tmp_path / "home")})
    app = vault.create(Services(config, database, lambda: NOON, draw), opened)

    def arrive(actor):
        client = app.test_client()
        with database.write() as session:
            token, csrf = accounts.sign_in(session, by(actor), actor.id)
        client.set_cookie(COOKIE, token)
        return Visitor(client, csrf)

    return arrive


def lock(run):
    sign = ["--password", PASSWORD, "--reason", "final"]
    asked = run("lock", STUDY, "--do", "ask", "--as", "dora", *sign)
    assert asked.exit_code == 0, asked.output
    done = run("lock", STUDY, "--as", "dirk", *sign)
    assert done.exit_code == 0, done.output


@pytest.fixture
def locked(clean, opened, run, database):  # noqa: F811
    """Both participants are on the list, and the study is locked."""
    lock(run)
    for code in CODES:
        site = code.partition("-")[0]
        by = who(_investigator(site))
        stratum = STRATA[0] if site == "PUMCH" else STRATA[2]
        receipt = api.randomize(opened, by, request_(code, stratum, site=site, kits=0))
        number = json.loads(receipt.text)["random_number"]
        with database.write() as session:
            session.execute(
                update(Participant).where(Participant.code == code).values(random_number=number)
            )
    return clean


def _investigator(site):
    from tests.people import ANNA, BO

    return ANNA if site == "PUMCH" else BO


def sign(visitor, password=PASSWORD):
    return visitor.post(PAGE, {"list": "1", "password": password})


@pytest.mark.req("BL-14")
def test_nobody_signs_and_nothing_is_laid_open_before_the_lock(clean, unblinded):  # noqa: F811
    dora, stan = unblinded(DORA), unblinded(STAN)
    page = dora.get(PAGE).text
    assert "The study is not locked" in page
    assert "Sign the unblinding" not in page
    refused = sign(dora)
    assert refused.status_code == 409
    assert "is unblinded when its data are locked" in refused.text
    assert stan.get(BUNDLE).status_code == 409


@pytest.mark.req("BL-14", "L18")
def test_two_different_people_sign_and_the_statistician_alone_takes_the_bundle(
    locked, unblinded, opened
):
    dora, dirk, stan = unblinded(DORA), unblinded(DIRK), unblinded(STAN)
    assert "The study is locked by lock 1" in dora.get(PAGE).text
    assert sign(dora, "wrong").status_code == 403
    assert sign(dora).status_code == 303
    assert "A second, different person has to" in dora.get(PAGE).text
    assert sign(dora).status_code == 409
    assert stan.get(BUNDLE).status_code == 409
    assert "1 of 2 signatures" in stan.get(PAGE).text
    assert sign(dirk).status_code == 303
    shown = dora.get(PAGE).text + dirk.get(PAGE).text + unblinded(AUDREY).get(PAGE).text
    assert "Dora Chen" in shown and "lock 1, " in shown and "checkpoint 0" in shown
    assert not ARM.search(shown) and "bundle.json" not in shown
    for actor in (DORA, DIRK, AUDREY, BEA):
        assert unblinded(actor).get(BUNDLE).status_code == 403
    assert sign(stan).status_code == 403
    assert unblinded(BEA).get(PAGE).status_code == 403
    before = len(acts(opened))
    assert ARM.search(stan.get(BUNDLE).text)
    (act,) = acts(opened)[before:]
    assert (act["action"], act["actor"]) == ("list:reveal", STAN.id)
    for path in (f"{PAGE}/1/publication.txt", f"{PAGE}/verify_bundle.py"):
        handed = unblinded(DORA).get(path)
        assert handed.status_code == 200 and not ARM.search(handed.text)
    assert unblinded(DORA).get(f"{PAGE}/7/publication.txt").status_code == 404


@pytest.mark.req("BL-14", "EX-08")
def test_from_the_lock_to_a_verified_unblinded_dataset(
    locked, unblinded, opened, run, tmp_path, database
):
    for signer in (DORA, DIRK):
        assert sign(unblinded(signer)).status_code == 303
    stan = unblinded(STAN)
    paths = {}
    for name, at in (("bundle.json", BUNDLE), ("publication.txt", f"{PAGE}/1/publication.txt"),
                     ("verify_bundle.py", f"{PAGE}/verify_bundle.py")):  # fmt: skip
        paths[name] = tmp_path / name
        paths[name].write_bytes(stan.get(at).data)
    alone = subprocess.run(
        [sys.executable, "-I", paths["verify_bundle.py"], paths["bundle.json"],
         "--publication", paths["publication.txt"]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (alone.returncode, "('receipts', 2)" in alone.stdout) == (0, True), alone.stdout
    out = tmp_path / "unblinded"
    done = run("export", STUDY, "--unblinded", str(paths["bundle.json"]), "--as", "dora",
               "--out", str(out), "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    assert made["path"].endswith("-unblinded.zip")
    good = run("verify", made["path"])
    assert (good.exit_code, good.output[:5]) == (0, "Good:"), good.output
    with zipfile.ZipFile(made["path"]) as package:
        lines = package.read("trt.csv").decode().splitlines()
        assert json.loads(package.read("MANIFEST.json"))["blinding"] == "unblinded"
    assert len(lines) == 3
    assert {line.split(",")[5] for line in lines[1:]} <= set(ARMS)
    again = run("export", STUDY, "--unblinded", str(paths["bundle.json"]), "--as", "dora",
                "--out", str(tmp_path / "again"), "--json")  # fmt: skip
    assert json.loads(again.output)["sha256"] == made["sha256"]
    _main_ledger_has_no_sum(database, made["sha256"])
    assert made["sha256"] in json.dumps(acts(opened)[-2:])
    _tampered(run, made["path"], tmp_path)


def _main_ledger_has_no_sum(database, sha256):
    from ecrf.kernel.ledger import LEDGER

    with database.read() as session:
        headers = [row[3] for row in LEDGER.acts(session)]
    mine = [header for header in headers if '"data:export-unblinded"' in header]
    assert len(mine) == 2
    assert not any(sha256 in header or "ZZCANARY" in header for header in headers)


def _tampered(run, path, tmp_path):
    """Exchange the arms of the table, with sums that fit: the bundle says otherwise."""
    import hashlib

    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    one, other = (arm.encode() for arm in ARMS)
    table = parts["trt.csv"].replace(one, b"#").replace(other, one).replace(b"#", other)
    parts["trt.csv"] = table
    manifest = json.loads(parts["MANIFEST.json"])
    manifest["files"]["trt.csv"]["sha256"] = hashlib.sha256(table).hexdigest()
    parts["MANIFEST.json"] = json.dumps(manifest).encode()
    skip = ("SHA256SUMS", "SIGNATURE.txt")
    sums = [f"{hashlib.sha256(parts[n]).hexdigest()}  {n}\n" for n in sorted(parts)
            if n not in skip]  # fmt: skip
    parts["SHA256SUMS"] = "".join(sums).encode()
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(forged, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    found = run("verify", str(forged))
    assert found.exit_code == 1
    assert "trt.csv PUMCH-001 is not what the bundle and the participants say." in found.output
    assert {fault.kind for fault in verify(str(forged)).faults} >= {"signature"}


def test_an_unblinded_package_needs_the_lock_and_a_good_bundle(
    locked, unblinded, run, tmp_path, opened
):
    for signer in (DORA, DIRK):
        sign(unblinded(signer))
    bundle = json.loads(unblinded(STAN).get(BUNDLE).data)
    bundle["receipts"].reverse()
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle))
    wrong = run("export", STUDY, "--unblinded", str(path), "--as", "dora")
    assert wrong.exit_code == 1
    assert "The bundle is not good" in wrong.output
    path.write_text("[]")
    assert "The file is no bundle" in run(
        "export", STUDY, "--unblinded", str(path), "--as", "dora"
    ).output  # fmt: skip
    end = run("lock", STUDY, "--do", "lift", "--as", "dora", "--password", PASSWORD,
              "--reason", "one value")  # fmt: skip
    if end.exit_code == 0:
        assert unblinded(STAN).get(BUNDLE).status_code == 409


def test_consort_on_the_command_line_tells_arms_with_a_bundle_only(
    locked, unblinded, run, tmp_path
):
    blind = run("randomization", "consort", STUDY, "--as", "dora", "--language", "en")
    assert blind.exit_code == 0, blind.output
    assert "sizes" not in blind.output and not ARM.search(blind.output.split("17b")[0])
    assert "Numbers by arm are told after unblinding" in blind.output
    for signer in (DORA, DIRK):
        sign(unblinded(signer))
    path = tmp_path / "bundle.json"
    path.write_bytes(unblinded(STAN).get(BUNDLE).data)
    out = tmp_path / "consort.txt"
    done = run("randomization", "consort", STUDY, "--as", "stan", "--unblinded", str(path),
               "--out", str(out))  # fmt: skip
    assert done.exit_code == 0, done.output
    told = out.read_text("utf-8")
    assert "sizes: 4, 6" in told and "受试者流程" in told
    assert run("randomization", "consort", STUDY, "--as", "anna").exit_code == 1
