"""A revealed randomization: two signers, a check by a stranger, every tamper noticed."""

import ast
import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed
from randomization import api, bundle, design, verify_bundle
from randomization.drbg import HmacDrbg
from randomization.numbers import below
from randomization.schemes import SCHEMES
from randomization.tables import Slot
from tests.people import ANNA, DIRK, DORA, NOON, STUDY
from tests.randomization import ceremonies
from tests.randomization.conftest import STRATA, request_, spec, visit, who

LOCKED = "study lock 1"
TAMPERS = 400


@pytest.fixture
def used(vault, anna, paul):
    """Six participants on two strata; one has kits of a later visit."""
    for n in range(6):
        api.randomize(vault, anna, request_(f"PUMCH-{n:03d}", STRATA[n % 2]))
    api.assign_kits(vault, paul, visit("PUMCH-001"), 2, request_("").usable_until)
    return vault


@pytest.fixture
def revealed(used):
    for person in (DORA, DIRK):
        bundle.sign(used, who(person), STUDY, 1, LOCKED)
    return json.loads(bundle.bundle(used, who(DORA), STUDY, 1))


def test_an_untouched_bundle_is_good_and_agrees_with_what_was_made_known(used, revealed):
    filed = api.published(used, STUDY, 1).text()
    found = verify_bundle.verify(revealed, filed)
    with used.database.read() as session:
        whole = session.scalar(select(func.count()).select_from(Slot))
    assert found.faults == ()
    assert found.signed
    assert found.counts == {
        "slots": whole,
        "receipts": 6,
        "kits": 120,
    }
    assert len(revealed["assigned"]) == 8


@pytest.mark.parametrize("kind", ["sqlite"])
def test_nothing_is_opened_before_two_different_people_have_signed(used):
    with pytest.raises(Conflict, match="two different people"):
        bundle.bundle(used, who(DORA), STUDY, 1)
    assert bundle.sign(used, who(DORA), STUDY, 1, LOCKED) == 1
    with pytest.raises(Conflict, match="signed already"):
        bundle.sign(used, who(DORA), STUDY, 1, LOCKED)
    with pytest.raises(Conflict, match="two different people"):
        bundle.bundle(used, who(DORA), STUDY, 1)
    with pytest.raises(NotAllowed):
        bundle.sign(used, who(ANNA), STUDY, 1, LOCKED)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_something_else_made_known_beforehand_is_noticed(used, revealed):
    filed = api.published(used, STUDY, 1).text().replace("list: 1", "list: 2")
    assert verify_bundle.verify(revealed, filed).faults == (
        "the list is not the one made known beforehand",
    )


def places(part, way=()):
    """Yield the way to every single value in the bundle."""
    if isinstance(part, dict | list):
        inner = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in inner:
            yield from places(value, (*way, key))
    else:
        yield way


def spoil(bundle_, way, draw):
    """Change one sign of one value, or the value itself when it is a number."""
    spoilt = copy.deepcopy(bundle_)
    inner = spoilt
    for key in way[:-1]:
        inner = inner[key]
    old = inner[way[-1]]
    if isinstance(old, int):
        inner[way[-1]] = old + 1
    else:
        at = below(draw, len(old))
        sign = "0" if old[at] != "0" else "1"
        inner[way[-1]] = old[:at] + sign + old[at + 1 :]
    return spoilt


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_single_tamper_is_noticed(revealed):
    """`make bench` does 10,000; here are some hundred, at every kind of place."""
    draw, ways = Seeded(b"tampers"), list(places(revealed))
    for _ in range(TAMPERS):
        way = ways[below(draw, len(ways))]
        assert verify_bundle.verify(spoil(revealed, way, draw)).faults, way


@pytest.mark.parametrize("kind", ["sqlite"])
def test_tampers_are_noticed_without_any_signature(revealed, monkeypatch):
    """Whoever holds the key cannot cheat either: root, order and commitments stand alone."""
    monkeypatch.setattr(verify_bundle, "Ed25519PublicKey", None)

    def faults(change):
        spoilt = copy.deepcopy(revealed)
        change(spoilt)
        return verify_bundle.verify(spoilt).faults

    def swap(b):
        b["receipts"][0], b["receipts"][1] = b["receipts"][1], b["receipts"][0]

    def exchange(b):
        kits = b["packings"][0]["kits"]
        kits[0][1], kits[1][1] = kits[1][1], kits[0][1]
        kits[0][1] = "ZZCANARY1" if kits[0][1] == "ZZCANARY2" else "ZZCANARY2"

    assert faults(swap)
    assert faults(exchange)
    assert faults(lambda b: b["receipts"].pop(2))
    assert faults(lambda b: b.update(seed="00" * 32))
    assert faults(lambda b: b["assigned"].append(b["assigned"][0]))
    assert faults(lambda b: b["assigned"][0].__setitem__(1, "PUMCH-999"))
    assert not faults(lambda _: None)


@pytest.fixture
def ceremonial(empty):
    """The bundle of a list that went through its ceremony and took in two participants."""
    ceremonies.whole(empty)
    anna = who(ANNA, at=NOON + 6 * ceremonies.HOUR)
    for n in range(2):
        api.randomize(empty, anna, request_(f"PUMCH-{n:03d}", STRATA[n], kits=0))
    for person in (DORA, DIRK):
        bundle.sign(empty, who(person, at=NOON + 7 * ceremonies.HOUR), STUDY, 1, LOCKED)
    at = NOON + 8 * ceremonies.HOUR
    return json.loads(bundle.bundle(empty, who(DORA, at=at), STUDY, 1))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_single_tamper_of_a_list_with_a_beacon_is_noticed(ceremonial):
    assert verify_bundle.verify(ceremonial).faults == ()
    draw, ways = Seeded(b"beacon"), list(places(ceremonial))
    for way in ways:
        assert verify_bundle.verify(spoil(ceremonial, way, draw)).faults, way


@pytest.mark.parametrize("kind", ["sqlite"])
def test_another_beacon_or_seed_is_noticed_without_any_signature(ceremonial, monkeypatch):
    monkeypatch.setattr(verify_bundle, "Ed25519PublicKey", None)
    for part in ("beacon_value", "seed_commitment", "root"):
        spoilt = copy.deepcopy(ceremonial)
        spoilt["public"][part] = "11" * 32
        assert verify_bundle.verify(spoilt).faults, part
    without = copy.deepcopy(ceremonial)
    del without["public"]["beacon_value"]
    assert verify_bundle.verify(without).faults
    assert not verify_bundle.verify(ceremonial).faults


def test_the_file_stays_short_enough_to_be_read():
    """Lines of code: neither blank nor a docstring."""
    written = Path(verify_bundle.__file__).read_text("utf-8")
    told = {
        line
        for node in ast.walk(ast.parse(written))
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and ast.get_docstring(node)
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    code = [
        line
        for number, line in enumerate(written.splitlines(), start=1)
        if line.strip() and number not in told
    ]
    assert len(code) < 250


DESIGNS = [
    {"scheme": "permuted_block", "options": {"sizes": (4, 6), "weights": (2, 1)}},
    {"scheme": "big_stick", "options": {"bound": (3,)}},
    {"scheme": "biased_coin", "options": {"favour": (2,), "of": (3,)}},
    {"scheme": "maximal", "options": {"bound": (3,), "even": (1,)}, "slots": 41},
    {"scheme": "urn", "options": {"start": (0,), "add": (1,)}},
    {"scheme": "simple", "options": {}, "ratio": (("A", 2), ("B", 1), ("C", 1))},
    {"scheme": "none", "options": {}, "ratio": (("A", 1),)},
    {"scheme": "minimise", "options": {"favour": (4,), "of": (5,)}},
]


def test_every_scheme_has_its_second_implementation():
    assert set(verify_bundle.SCHEMES) == set(SCHEMES) == {d["scheme"] for d in DESIGNS}


@pytest.mark.parametrize("given", DESIGNS, ids=lambda given: given["scheme"])
def test_both_implementations_make_the_same_list(given):
    made, seed = spec(**given), bytes(range(32))
    mine = [json.loads(leaf.content()) for leaf in design.leaves(made, seed)]
    assert verify_bundle.list_of(json.loads(made.canonical()), seed) == mine
    mixed = design.leaves(made, design.mixed(seed, "a beacon"))
    found = verify_bundle.list_of(json.loads(made.canonical()), seed, "a beacon")
    assert found == [json.loads(leaf.content()) for leaf in mixed] != mine


def test_both_generators_give_the_same_stream():
    mine, other = HmacDrbg(bytes(32)), verify_bundle.Generator(bytes(32))
    assert mine.generate(100) == other.generate(100)
    assert mine.below(3**70) == other.below(3**70)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_file_stands_alone(revealed, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(revealed))
    bad.write_text(json.dumps({**revealed, "seed": "11" * 32}))
    (tmp_path / "none.json").write_text("[]")
    script = tmp_path / "verify_bundle.py"
    script.write_bytes(Path(verify_bundle.__file__).read_bytes())

    def run(*arguments):
        command = [sys.executable, "-I", str(script), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        return done.returncode, done.stdout + done.stderr

    assert run(good)[0] == 0 and "Good:" in run(good)[1]
    assert run(bad)[0] == 1 and "seed" in run(bad)[1]
    assert run(tmp_path / "none.json")[0] == 2
    assert run()[0] == 2
