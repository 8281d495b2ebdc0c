"""The inventory of leaks: every row has its test, and the rows that have no other room."""

import ast
import re
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select

from ecrf.kernel.access import RIGHTS, UNBLINDED, Right, Role
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Base
from ecrf.kernel.errors import Refused, Unavailable
from ecrf.kernel.ledger import By, Origin
from randomization import api, design, seal
from randomization.tables import Reveal
from tests.blinding import judge, worlds
from tests.blinding.judge import Witness
from tests.blinding.worlds import CANARIES, NOW, STUDY
from visits.tables import Participant

ROOT = Path(__file__).parents[2]
HOMES = (
    "tests/blinding", "tests/study/test_check_unblinding.py",
)  # fmt: skip
ROWS = tuple(f"L{n}" for n in range(1, 21))
DOCUMENT = ROOT / "docs" / "blinding.md"


def marked():
    """Return, for each requirement, the tests that are marked with it."""
    found = {}
    for home in HOMES:
        path = ROOT / home
        for file in sorted(path.rglob("test_*.py")) if path.is_dir() else [path]:
            for node in ast.parse(file.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    for name in _reqs(node):
                        found.setdefault(name, set()).add(node.name)
    return found


def _reqs(node):
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.req":
            yield from (argument.value for argument in mark.args)


def test_every_row_of_the_inventory_has_a_test_with_its_number():
    assert [row for row in ROWS if row not in marked()] == []


def test_the_document_names_for_every_row_tests_that_are_there():
    table = {
        cells[0]: cells[-1]
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if re.match(r"\| L\d+ ", line)
        for cells in [[cell.strip() for cell in line.strip("| ").split("|")]]
    }
    assert tuple(table) == ROWS
    known = marked()
    for row, told in table.items():
        named = set(re.findall(r"`(test_\w+)`", told))
        assert named, row
        assert named <= known[row], (row, named - known[row])


@pytest.mark.req("L3")
def test_block_sizes_and_positions_stand_nowhere_but_sealed(pair):
    """Not in the main database, a receipt or a publication; sealed in the vault."""
    world = pair[0]
    vault = world.vault
    with world.place.database.read() as session:
        receipts = session.scalars(
            select(Participant.receipt).where(Participant.receipt.is_not(None))
        ).all()
    told = api.published(vault, STUDY, 1).text()
    for text in (*receipts, told):
        assert not re.search(r"block|size|position|permuted", text)
    raw = b"".join(
        path.read_bytes() for path in world.config.data_dir.rglob("*") if path.is_file()
    )
    assert b"permuted_block" not in raw
    assert b'"sizes"' not in raw


@pytest.mark.req("L3")
def test_a_blinded_trial_has_blocks_of_more_than_one_size(pair):
    sizes = pair[0].dispensary.stage.profile.blocks
    assert len(set(sizes)) >= 2
    assert min(sizes) >= 4


@pytest.mark.req("L5")
def test_no_table_of_the_main_side_has_a_place_for_lot_expiry_or_content():
    """What could differ between packs cannot be shown by a side that does not have it."""
    words = re.compile(r"(^|_)(lot|batch|expiry|expires|arm|treatment|allocation|product)(_|$)")
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
    }
    assert len(columns) > 200
    assert sorted(name for name in columns if words.search(name.split(".")[1])) == []


@pytest.mark.req("L5")
def test_one_batch_and_one_expiry_are_given_to_kits_of_all_arms_together(pair):
    """A packing has one batch and one expiry, and is refused without kits of every arm."""
    assert {"batch", "expiry"} <= set(api.Packing.__dataclass_fields__)
    by = By(NOBODY, NOW, Origin.COMMAND, Seeded(b"packing"))
    alone = api.Packing(STUDY, "PUMCH", "P-9", NOW.date(), {CANARIES[0]: 5})
    with pytest.raises(Refused, match="all arms"):
        api.register_kits(pair[0].vault, by, alone)


@pytest.mark.req("L14", "BL-06")
def test_a_code_break_tells_blinded_people_who_and_never_what(pair):
    """The investigator learns one arm; what everybody else sees is the same in both worlds."""
    seen, told = [], []
    for world in pair:
        code = min(code for code in worlds.arms(world) if code.startswith("PUMCH"))
        witness = Witness(world, world.vault_app(), "anna")
        sent = {
            "step": "3", "code": code, "again": code, "why": "overdose", "reason": "overdose",
            "understood": "1", "ref": "0" * 16, "password": world.password("anna"),
        }  # fmt: skip
        broken = witness.post(f"/vault/{STUDY}/code-break", sent)
        assert broken.status in (200, 303), broken.body
        told.append(broken)
        others = []
        for name in ("carl", "dora", "mona", "max"):
            app = world.app()
            reader = Witness(world, app, name)
            others += [
                reader.get(f"/{STUDY}/participants"),
                reader.get(f"/{STUDY}/participants/{code}"),
                reader.get(f"/{STUDY}/ledger"),
            ]
        seen.append(others)
    assert judge.differences(*seen) == []
    for page in seen[0]:
        assert judge.hits(page.body, CANARIES) == set()
    shown = [judge.hits(page.body, CANARIES) for page in told]
    assert all(len(names) <= 1 for names in shown)


@pytest.mark.req("L18")
def test_only_unblinded_roles_may_read_results_by_arm():
    may = {role for role, rights in RIGHTS.items() if Right.CLOSED_READ in rights}
    assert may
    assert may <= UNBLINDED


@pytest.mark.req("L19", "VD-05")
def test_a_list_of_one_environment_serves_no_other_and_differs_from_its_twin(pair):
    """The same seed gives another list elsewhere, and what is sealed here opens here alone."""
    vault = pair[0].vault
    other = api.Vault(vault.database, vault.keys, "production")
    person = pair[0].dispensary.stage.who(Role.INVESTIGATOR, "PUMCH")
    by = By(person, NOW, Origin.PAGE, Seeded(b"elsewhere"))
    request = api.Request(STUDY, "PUMCH", "PUMCH-900", "site=PUMCH", "BL", 0, NOW.date())
    with pytest.raises(Unavailable):
        api.randomize(other, by, request)
    spec = api.Spec(
        STUDY, 1, "test", "permuted_block", (("A", 1), ("B", 1)), {"sizes": (4, 6)}, ("s",), 60
    )
    live = design.from_canonical(spec.canonical().replace('"test"', '"production"'))
    assert live.environment == "production"
    seed = bytes(design.SEED_BYTES)
    drawn = [[leaf.arm for leaf in design.leaves(each, seed)] for each in (spec, live)]
    assert drawn[0] != drawn[1]
    key, nonce = bytes(seal.KEY_BYTES), bytes(seal.NONCE_BYTES)
    closed = seal.seal(key, ("slot", STUDY, "test", 1), b"arm", nonce)
    with pytest.raises(InvalidTag):
        seal.unseal(key, ("slot", STUDY, "production", 1), closed, nonce)


@pytest.mark.req("L20", "AT-13")
def test_a_page_that_shows_an_arm_names_who_looked_and_is_on_record_first(pair):
    """A photograph or print of it can be told to its person; looking twice is two records."""
    world = pair[0]
    with world.place.database.read() as session:
        code = session.scalars(
            select(Participant.code).where(
                Participant.site == "PUMCH", Participant.random_number.is_not(None)
            )
        ).first()
    witness = Witness(world, world.vault_app(), "paul")
    before = _reveals(world)
    page = witness.get(f"/vault/{STUDY}/participants/{code}/BL")
    assert page.status == 200
    assert judge.hits(page.body, CANARIES)
    assert b"Paul Sun" in page.body
    assert f"{NOW:%Y-%m-%d}".encode() in page.body
    assert _reveals(world) == before + 1
    assert dict(page.headers)["Cache-Control"] == "no-store"
    witness.get(f"/vault/{STUDY}/participants/{code}/BL")
    assert _reveals(world) == before + 2


def _reveals(world):
    with world.place.vault.read() as session:
        return session.scalar(select(func.count()).select_from(Reveal))
