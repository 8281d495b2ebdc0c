"""Arms called like nothing else, looked for everywhere they may not be."""

import logging
import traceback

import pytest
from sqlalchemy import select, text

from ecrf.kernel import accounts
from ecrf.kernel.access import BLINDED, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.study import versions
from ecrf.study.canonical import canonical
from randomization import shelf
from randomization.tables import Slot
from tests.blinding import judge, worlds
from tests.blinding.judge import Witness
from tests.blinding.worlds import CANARIES, NOW, STUDY

AROUND = 12


@pytest.fixture(scope="module")
def world(pair):
    return pair[0]


def files(world):
    """Return what lies on the disk, WAL and journal included."""
    return [path for path in sorted(world.config.data_dir.rglob("*")) if path.is_file()]


@pytest.mark.req("L10", "BL-02", "AT-12")
def test_no_file_holds_the_name_of_an_arm_outside_the_definition(world):
    """Whole files, free pages and logs of the databases too; packed files are opened."""
    with world.place.database.read() as session:
        study, _ = versions.in_force(session, STUDY)
    known = canonical(study).encode()
    assert any(word.encode() in known for word in CANARIES)
    looked = [path for path in files(world) if path.suffix != ".yaml"]
    assert {"ecrf.db", "vault.db"} <= {path.name for path in looked}
    for path in looked:
        content = path.read_bytes()
        if path.name.startswith("ecrf.db"):
            assert list(astray(content, known)) == [], path.name
        else:
            assert judge.hits(content, CANARIES) == set(), path.name


def astray(content, known):
    """Yield what stands around the name of an arm where it is no part of the definition.

    A page of the file may end within the name's surroundings: one whole side is enough.
    """
    for word in map(str.encode, CANARIES):
        at = content.find(word)
        while at >= 0:
            end = at + len(word)
            before, after = content[max(0, at - AROUND) : end], content[at : end + AROUND]
            if before not in known and after not in known:
                yield content[max(0, at - AROUND) : end + AROUND]
            at = content.find(word, end)


def test_the_search_finds_a_name_that_is_astray(world):
    with world.place.database.read() as session:
        known = canonical(versions.in_force(session, STUDY)[0]).encode()
    assert list(astray(b"reason: given ZZCANARY1 by mistake", known))
    assert judge.hits(b"kit of ZZCANARY2", CANARIES) == {"ZZCANARY2"}
    assert judge.hits("ZZCANARY2".encode("utf-16-le"), CANARIES) == {"ZZCANARY2"}


@pytest.mark.req("L4", "BL-02")
def test_equal_arms_have_unequal_ciphertexts_of_equal_length(world):
    with world.place.vault.read() as session:
        sealed = session.scalars(select(Slot.ciphertext)).all()
    assert len(sealed) > 200
    assert len(set(sealed)) == len(sealed)
    assert len({len(each) for each in sealed}) == 1


@pytest.mark.req("L10")
def test_what_is_deleted_in_the_vault_is_overwritten(world):
    """`secure_delete`: no free page keeps what stood there."""
    with world.place.vault.read() as session:
        assert session.execute(text("PRAGMA secure_delete")).scalar() in (1, 2)


@pytest.mark.req("L9", "AT-12")
def test_an_error_with_an_opened_arm_in_hand_tells_none(world, monkeypatch):
    """Page, log, traceback with all local values, and the statements with their parameters."""
    code = worlds.ready_to_randomize(world, 95)
    kept = []

    def breaks(self, every, arm, count):
        wrong = RuntimeError(f"no kit of {arm} among {every}: {arm!r} {arm:>20}")
        try:
            raise wrong
        except RuntimeError:
            told = traceback.TracebackException.from_exception(wrong, capture_locals=True)
            kept.extend(told.format())
            raise

    monkeypatch.setattr(shelf.Stock, "take", breaks)
    witness = Witness(world, world.app(), "anna")
    sent = {"code": code, "password": world.password("anna")}
    logging.getLogger("sqlalchemy.engine").disabled = False
    with judge.heard_lines("", "sqlalchemy.engine", "ecrf", "ecrf.vault") as lines:
        page = witness.post(f"/{STUDY}/participants/{code}/randomize", sent)
    assert page.status == 500
    assert any("Traceback" in line for line in lines)
    assert any("INSERT" in line or "SELECT" in line for line in lines)
    told = "\n".join([*lines, *kept, page.body.decode(), str(page.headers)])
    assert "Arm(sealed)" in told
    assert judge.hits(told.encode(), CANARIES) == set()


@pytest.mark.req("L16", "IA-05")
def test_nobody_gets_a_blinded_role_after_an_unblinded_one_that_has_ended(world):
    with world.place.database.write() as session:
        by = By(accounts.actor(session, "alma", NOW), NOW, Origin.PAGE, Seeded(b"roles"))
        paul = accounts.actor(session, "paul", NOW)
        accounts.end(session, by, paul.id, Grant(STUDY, Role.PHARMACIST, "PUMCH"), "leaves")
        for role in BLINDED:
            with pytest.raises(Refused):
                accounts.give(session, by, paul.id, Grant(STUDY, role, "PUMCH"), "covers")
        session.rollback()
