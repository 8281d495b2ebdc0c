"""The blinded process and the vault's, for real: started, asked, stopped, asked again."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from ecrf.kernel.db import Database
from randomization.tables import Allocation
from tests.conftest import LOUD
from tests.people import ANNA, PASSWORD, PAUL
from tests.vault_apart.conftest import free_port
from tests.vault_apart.installations import Place
from tests.vault_apart.processes import (
    COMMAND,
    ROOT,
    Account,
    Browser,
    Process,
    environment,
    running,
)
from tests.web.test_randomize import (  # noqa: F401
    CODE,
    PAGE,
    STUDY,
    ready_databases,
)
from visits.tables import Participant

ONE = "This is not possible at the moment; nothing was changed. Tell the study"
ARM = r"\b(MMF|PBO)\b"
CONFIRM = {"code": CODE, "password": PASSWORD}
PLAIN = {
    "randomization",
    "randomization.asking",
    "randomization.receipts",
    "randomization.wire",
}
BLINDED, VAULT, BOTH = 54321, 54322, 54320
"""Two users that need not have a name, and their common group."""


@pytest.fixture
def folder():
    """A short path, as a socket needs; other users may go through it."""
    with tempfile.TemporaryDirectory(prefix="ecrf-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def place(folder, ready_databases, filled_vaults, tmp_path):  # noqa: F811
    """Both databases as files, the trial in force, PUMCH-001 ready to be randomized."""
    made = Place(folder)
    made.files_from(*(p.copy("sqlite", tmp_path) for p in (ready_databases, filled_vaults)))
    return made


def processes(place, folder):
    port, other = free_port(), free_port()
    blinded = Process(("--only", "blinded"), place.common, port, folder / "blinded.txt")
    vault = Process(("--only", "vault"), place.vaults, other, folder / "vault.txt")
    return blinded, vault


def number(place):
    database = Database(place.main_url)
    with database.read() as session:
        found = session.scalar(
            select(Participant.random_number).where(Participant.code == CODE)
        )
    database.dispose()
    return found


def receipts(place):
    database = Database(place.vault_url)
    with database.read() as session:
        found = session.scalars(select(Allocation.random_number)).all()
    database.dispose()
    return found


@pytest.mark.req("BL-03")
def test_a_participant_is_randomized_through_two_processes_whatever_fails_between(
    place, folder
):
    """The vault is stopped; then its answer is lost after its commit; then all is well."""
    blinded, vault = processes(place, folder)
    with running(vault, blinded):
        anna = Browser(blinded.url).sign_in(ANNA)
        assert anna.get("/vault/code-break")[0] == 404

        vault.stop()
        status, page = anna.send(PAGE, **CONFIRM)
        assert (status, ONE in page) == (503, True)
        assert "Randomize now" in page
        assert (number(place), receipts(place)) == (None, [])

        vault.start()
        with breaking(place.socket):
            status, lost = anna.send(PAGE, **CONFIRM)
        assert (status, ONE in lost) == (503, True)
        assert len(lost) == len(page)
        (given,) = receipts(place)
        assert number(place) is None

        status, page = anna.send(PAGE, **CONFIRM)
        assert status == 200, page
        assert number(place) == given
        assert given in page
        assert receipts(place) == [given]

        shown = Browser(vault.url).sign_in(PAUL).get(f"/vault/{STUDY}/participants/{CODE}/BL")
        assert shown[0] == 200
        assert given in shown[1]
        assert len(set(re.findall(ARM, shown[1]))) == 1
        assert not re.search(ARM, page)
        assert Browser(vault.url).get(PAGE)[0] == 404
    assert not re.search(ARM, blinded.said() + vault.said())


@contextmanager
def breaking(path):
    """Put something between the two: it hands the question on, and keeps the answer."""
    real = path.with_name("real.sock")
    path.rename(real)
    with socket.socket(socket.AF_UNIX) as front:
        front.bind(str(path))
        front.listen()
        thread = Thread(target=_keep_the_answer, args=(front, real))
        thread.start()
        yield
        thread.join(timeout=30)
    path.unlink()
    real.rename(path)


def _keep_the_answer(front, real):
    came, _ = front.accept()
    with came, socket.socket(socket.AF_UNIX) as vault:
        vault.connect(str(real))
        while b"asked" not in (part := came.recv(65536)):
            vault.sendall(part)
        vault.sendall(part)
        assert b"200 OK" in vault.recv(65536)


SCRIPT = """
import json, sys
touched = []
EVENTS = ("open", "sqlite3.connect", "os.listdir", "os.scandir", "socket.connect")
sys.addaudithook(lambda event, given: touched.append(repr(given)) if event in EVENTS else None)
from ecrf.kernel import config
from ecrf.kernel.db import Database
from ecrf.web import alone
settings = alone.checked(config.read())
app = alone.create(settings, Database(settings.database_url))
assert app.test_client().get("/sign-in").status_code == 200
loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "randomization")
print(json.dumps([loaded, [text for text in touched if sys.argv[1] in text], repr(settings)]))
"""


@pytest.mark.req("BL-03")
def test_the_blinded_process_loads_nothing_that_opens_arms_and_touches_no_file_of_the_vault(
    place,
):
    """Asked of Python itself: every module loaded, every file and socket opened."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(place.own)], cwd=ROOT, check=False, text=True,
        env=environment(**place.common), capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded, touched, settings = json.loads(done.stdout)
    assert set(loaded) == PLAIN
    assert touched == []
    assert str(place.own) not in settings
    assert "vault_database_url=''" in settings


def refused(settings, *arguments, program=sys.executable, **told):
    """Start a process that must not start; return what it says."""
    done = subprocess.run(
        [program, "-c", COMMAND, "serve", *arguments, "--port", str(free_port())],
        env=environment(**settings), cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False, **told,
    )  # fmt: skip
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.req("BL-03")
def test_the_blinded_process_does_not_start_when_it_could_open_an_arm(place):
    said = refused(place.vaults, "--only", "blinded")
    assert "does not start" in said
    assert "ECRF_VAULT_DATABASE_URL is set" in said
    assert "vault.key can be read by this user" in said


def two_users():
    """Return the two accounts, with a program both may run; else skip loudly."""
    if os.geteuid() != 0:
        pytest.skip(f"two operating-system users {LOUD}: only root can start both")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        accounts = [Account(user, BOTH, program) for user in (BLINDED, VAULT)]
        if _runs(accounts[0]):
            return accounts
    pytest.skip(f"two operating-system users {LOUD}: no Python that another user may run")


def _runs(account):
    """Say whether that user can run it and read the packages; the other user has its rights."""
    try:
        done = subprocess.run(
            [account.program, "-c", "import ecrf, flask"], env=environment(), cwd=ROOT,
            capture_output=True, check=False, **account.told(),
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0


def give(path, user, mode):
    os.chown(path, user, BOTH)
    path.chmod(mode)


@pytest.mark.req("BL-03")
def test_two_users_and_the_blinded_one_can_read_neither_key_nor_vault(place, folder):
    blinded_account, vault_account = two_users()
    give(place.shared, 0, 0o2770)
    give(Path(place.main_url.removeprefix("sqlite:///")), BLINDED, 0o660)
    give(place.secret, 0, 0o640)
    give(place.own, VAULT, 0o700)
    for file in place.own.iterdir():
        give(file, VAULT, 0o600)
    blinded, vault = processes(place, folder)
    blinded = replace(
        blinded, account=blinded_account,
        settings=place.common | {"ECRF_VAULT_KEY_FILE": place.key_file},
    )  # fmt: skip
    vault = replace(vault, account=vault_account)
    with running(vault, blinded):
        assert owners(blinded, vault) == (BLINDED, VAULT)
        assert stat.S_IMODE(place.socket.stat().st_mode) == 0o660
        for path in (place.key_file, place.own / "vault.db"):
            assert "PermissionError" in attempt(blinded_account, path)
            assert attempt(vault_account, path) == ""
        anna = Browser(blinded.url).sign_in(ANNA)
        status, page = anna.send(PAGE, **CONFIRM)
        assert status == 200, page
        assert number(place) in page
        assert Browser(vault.url).sign_in(PAUL).get(f"/vault/{STUDY}/")[0] == 200
        assert open_files(blinded) & {"vault.db", "vault.key"} == set()
        assert "vault.db" in open_files(vault)
    settings = place.common | {"ECRF_VAULT_KEY_FILE": place.key_file}
    said = refused(
        settings, "--only", "vault", program=blinded_account.program, **blinded_account.told()
    )
    assert "vault.key" in said


def owners(*running_):
    return tuple(Path(f"/proc/{process.running.pid}").stat().st_uid for process in running_)


def open_files(process):
    links = Path(f"/proc/{process.running.pid}/fd").iterdir()
    return {link.readlink().name for link in links}


def attempt(account, path):
    """Read a file as that user; return what Python complains of."""
    done = subprocess.run(
        [account.program, "-c", f"open({str(path)!r}, 'rb').read()"], env=environment(),
        cwd="/", capture_output=True, text=True, check=False, **account.told(),
    )  # fmt: skip
    return done.stderr
