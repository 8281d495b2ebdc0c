"""A study that is really minimised: allocation, record of draws, checks, planned unblinding."""

import copy
import json
from collections import Counter

import pytest
from sqlalchemy import delete, select, text, update

from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, Unavailable
from randomization import api, bundle, lists, minimise, numbers, receipts, verify_bundle
from randomization.minimising import draws
from randomization.minimising.tables import DrawRow
from randomization.numbers import below
from randomization.tables import Allocation, Kit, ListRow, Slot
from tests.databases import Prepared, fresh
from tests.people import ALMA, ANNA, DIRK, DORA, STUDY
from tests.randomization.conftest import (
    ARMS,
    STRATA,
    activate,
    keys_in,
    packing,
    request_,
    spec,
    who,
)
from tests.randomization.test_bundle import places, spoil

MINIMISED = {"scheme": "minimise", "options": {"favour": (4,), "of": (5,), "weights": (2, 1)}}
NO_GUARD = {
    "sqlite": "DROP TRIGGER draw_no_{verb}",
    "postgresql": "DROP TRIGGER draw_append_only ON draw",
}


def code(n):
    return f"PUMCH-{n:03d}"


def enrol(vault, by, count, first=0):
    return [
        api.randomize(vault, by, request_(code(n), STRATA[(n * 7 // 3) % 3]))
        for n in range(first, first + count)
    ]


@pytest.fixture(scope="session")
def minimised_databases(tmp_path_factory, postgres_server):
    """Vaults with a minimised list and kits, made once and copied."""
    folder = tmp_path_factory.mktemp("minimised")

    def make(database):
        api.create_tables(database)
        made = api.Vault(database, keys_in(folder), "test")
        activate(made, **MINIMISED)
        api.register_kits(made, who(ALMA), packing())

    return Prepared(folder / "minimised.db", postgres_server, make)


@pytest.fixture(scope="session")
def used_databases(minimised_databases, tmp_path_factory):
    """Such vaults with twelve participants on the list."""
    folder = tmp_path_factory.mktemp("used")

    def make(database):
        enrol(api.Vault(database, keys_in(folder), "test"), who(ANNA), 12)

    return minimised_databases.further(folder / "used.db", make)


@pytest.fixture
def minimised(kind, minimised_databases, keys, tmp_path):
    for database in fresh(minimised_databases, kind, tmp_path):
        yield api.Vault(database, keys, "test")


@pytest.fixture
def used(kind, used_databases, keys, tmp_path):
    for database in fresh(used_databases, kind, tmp_path):
        yield api.Vault(database, keys, "test")


def row_of(session):
    return session.scalars(select(ListRow).where(ListRow.version == 1)).one()


def flaws(vault):
    return [str(flaw) for flaw in api.verify(vault, STUDY).flaws]


def opened(vault):
    with vault.database.read() as session:
        row = row_of(session)
        return [minimise.read(one) for one in draws.disclosed(session, vault, row)]


def test_every_draw_is_recorded_and_can_be_made_again(used):
    assert flaws(used) == []
    found = opened(used)
    assert [one.number for one in found] == list(range(1, 13))
    with used.database.read() as session:
        row = row_of(session)
        seed, made = lists.seed_of(used, row), lists.spec_of(used, row)
        rows = session.execute(
            select(Allocation.stratum, DrawRow.config, DrawRow.engine, Slot)
            .join(DrawRow, DrawRow.slot_id == Allocation.slot_id)
            .join(Slot, Slot.id == Allocation.slot_id)
            .order_by(Allocation.serial)
        ).all()
        arms = [lists.arm_on(used, row, line.Slot) for line in rows]
        assert {(line.config, line.engine) for line in rows} == {
            (row.spec_hash, minimise.ENGINE)
        }
    assert found == list(minimise.again(made, seed, [line.stratum for line in rows]))
    assert [one.arm for one in found] == arms
    assert len(set(arms)) == 2


def test_the_counts_of_a_draw_are_those_of_everyone_before(used):
    before = Counter()
    for one in opened(used):
        for level, counts in one.counts.items():
            assert counts == tuple(before[level, arm] for arm in ARMS)
        for level in one.stratum.split("|"):
            before[level, one.arm.opened()] += 1


def test_the_kits_given_hold_the_arm_that_was_decided(minimised, anna, paul):
    enrol(minimised, anna, 10)
    codes = [code(n) for n in range(10)]
    told = api.for_preparation(minimised, paul, STUDY, "PUMCH", codes)
    assert [one.arm for one in told] == [one.arm for one in opened(minimised)]
    api.assign_kits(minimised, paul, api.Visit(STUDY, "PUMCH", code(3), "W4"), 1,
                    request_("").usable_until)  # fmt: skip
    assert flaws(minimised) == []


@pytest.mark.parametrize("kits, needed", [(0, 7), (1, 8)])
def test_a_minimised_randomization_takes_eight_statements_at_most_whenever_it_comes(
    minimised, anna, statements, kits, needed
):
    sent = []
    for n in range(30):
        with statements(minimised.database) as one:
            api.randomize(minimised, anna, request_(code(n), STRATA[n % 3], kits=kits))
        sent.append(len(one))
    assert sent == [needed] * 30


def test_the_same_participant_gets_the_same_answer_and_no_second_draw(used, anna):
    first = api.randomize(used, anna, request_(code(0), STRATA[0]))
    assert api.randomize(used, anna, request_(code(0), STRATA[0])) == first
    with pytest.raises(Conflict):
        api.randomize(used, anna, request_(code(0), STRATA[1]))
    assert len(opened(used)) == 12


def test_a_refused_request_leaves_no_draw_and_changes_nobodys(empty, anna):
    """Kits of every arm are needed, whichever arm it would have been."""
    activate(empty, **MINIMISED)
    api.register_kits(empty, who(ALMA), packing(contents={ARMS[0]: 20, ARMS[1]: 1}))
    given = 0
    for n in range(30):
        try:
            api.randomize(empty, anna, request_(code(n)))
            given += 1
        except Unavailable:
            break
    assert 0 < given < 30
    assert len(opened(empty)) == given
    for n in range(3):
        with pytest.raises(Unavailable):
            api.randomize(empty, anna, request_(code(100 + n), STRATA[n]))
    api.register_kits(empty, who(ALMA, b"more"), packing())
    enrol(empty, anna, 3, 200)
    assert len(opened(empty)) == given + 3
    assert flaws(empty) == []


def test_a_crash_before_the_commit_leaves_draw_and_slot_to_the_next(
    minimised, anna, monkeypatch
):
    from randomization import allocate

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    enrol(minimised, anna, 2)
    with monkeypatch.context() as patched:
        patched.setattr(type(allocate.LEDGER), "write_all", die)
        with pytest.raises(Killed):
            enrol(minimised, anna, 1, 50)
    assert len(opened(minimised)) == 2
    enrol(minimised, anna, 2, 60)
    assert flaws(minimised) == []


def test_the_blinded_side_cannot_tell_a_minimised_list_from_another(empty, anna, keys):
    """The same words, kinds and lengths: publication, receipts, refusals."""
    told = []
    for version, other in ((1, {"options": {"sizes": (4,)}}), (2, MINIMISED)):
        with empty.database.write() as session:
            session.execute(update(ListRow).values(state="closed"))
        made = activate(empty, version=version, **other)
        receipt = api.randomize(empty, anna, request_(code(version), kits=0))
        said = json.loads(receipt.text)
        assert numbers.valid(receipt.random_number)
        assert receipts.accepts(keys.signer.verifier, receipt)
        with pytest.raises(Unavailable) as no:
            api.randomize(empty, anna, request_("PUMCH-999", "site=NOWHERE|bg=Y", kits=0))
        told.append((
            [*said], [len(str(part)) for part in said.values()], made.slots,
            [line.split(": ")[0] for line in made.text().splitlines()],
            [len(line) for line in made.text().splitlines()], no.value.message.wording,
        ))  # fmt: skip
        assert "minimise" not in receipt.text + made.text()
    assert told[0] == told[1]


def test_slots_of_both_kinds_look_alike_and_records_are_equally_long(used, anna):
    activate_other = spec(version=2)
    by = who(ALMA)
    api.generate(used, by, activate_other)
    with used.database.read() as session:
        sizes = session.execute(select(Slot.list_id, Slot.ciphertext)).all()
        assert len({len(one.ciphertext) for one in sizes}) == 1
        assert len({one.list_id for one in sizes}) == 2
        assert len({len(one) for one in session.scalars(select(DrawRow.record))}) == 1
    room = draws.room(spec(**MINIMISED))
    assert all(len(one.text().encode()) <= room for one in opened(used))


def test_a_record_has_room_for_a_trial_of_a_million():
    made = spec(**MINIMISED)
    many = dict.fromkeys(minimise.none_yet(made), (10**6, 10**6))
    drawn = minimise.draw(made, bytes(32), 10**6, many, STRATA[0])
    assert len(drawn.text().encode()) <= draws.room(made)


def test_nobody_stands_on_a_slot_before_it_is_decided(minimised):
    with minimised.database.read() as session:
        row = row_of(session)
        slot = session.scalars(select(Slot).limit(1)).one()
        with pytest.raises(LookupError, match="nobody stands"):
            lists.arm_on(minimised, row, slot)


def test_no_arm_stands_in_the_vaults_rows_and_none_prints(used):
    with used.database.read() as session:
        for table in (DrawRow, Slot, Allocation):
            for row in session.execute(select(table.__table__)):
                assert "CANARY" not in str(tuple(row))
                assert not any(isinstance(v, bytes) and b"CANARY" in v for v in row)
    for one in opened(used):
        assert "CANARY" not in repr(one)
        assert "scores" not in repr(one)


def unguarded(session, verb):
    dialect = session.get_bind().dialect.name
    session.execute(text(NO_GUARD[dialect].format(verb=verb)))


def test_the_record_of_draws_takes_no_change_and_no_loss(used):
    from sqlalchemy.exc import DBAPIError

    for statement in (
        update(DrawRow).where(DrawRow.number == 3).values(engine="x"),
        delete(DrawRow).where(DrawRow.number == 3),
    ):
        with pytest.raises(DBAPIError, match="append-only"), used.database.write() as session:
            session.execute(statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [("config", "0" * 64), ("engine", "other"), ("nonce", bytes(12)), ("record", bytes(300)),
     ("number", 99)],
)  # fmt: skip
def test_a_changed_draw_is_noticed(used, column, value):
    with used.database.write() as session:
        unguarded(session, "update")
        session.execute(update(DrawRow).where(DrawRow.number == 5).values({column: value}))
    assert any("draw" in flaw for flaw in flaws(used))


@pytest.mark.parametrize("number", [1, 6, 12])
def test_a_lost_draw_is_noticed_and_a_lost_last_one_stops_the_next(used, anna, number):
    with used.database.write() as session:
        unguarded(session, "delete")
        session.execute(delete(DrawRow).where(DrawRow.number == number))
    assert any("draw" in flaw for flaw in flaws(used))
    if number == 12:
        with pytest.raises(Unavailable):
            enrol(used, anna, 1, 300)


def test_an_arm_sealed_anew_into_a_slot_is_noticed(used):
    """Whoever has the key and changes an arm cannot make the seed agree."""
    from randomization import seal, slots
    from randomization.arm import Arm

    with used.database.write() as session:
        row = row_of(session)
        slot = session.scalars(
            select(Slot).join(Allocation, Allocation.slot_id == Slot.id).limit(1)
        ).one()
        key = lists.data_key(used, row)
        context = slots.context(row, slot.id, slot.stratum, slot.position)
        arm, salt = seal.unseal_arm(key, context, slot.ciphertext, slot.nonce)
        other = next(Arm(one) for one in ARMS if Arm(one) != arm)
        slot.ciphertext = seal.seal_arm(key, context, other, salt, slot.nonce)
    assert flaws(used) == ["List 1: what is sealed is not what the seed gives."]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scheme": "taves", "options": {}}, "simulation only"),
        ({**MINIMISED, "ratio": (("A", 2), ("B", 1))}, "equal shares"),
        ({**MINIMISED, "strata": ("all",)}, "name its levels"),
        ({**MINIMISED, "strata": ("site=A|bg=Y", "bg=Y|site=B")}, "same factors"),
        ({**MINIMISED, "strata": ("site=A", "site=B")}, "2 weights for 1 factors"),
        ({"scheme": "minimise", "options": {"favour": (96,), "of": (100,)}}, "0.6 to 0.95"),
    ],
)
def test_a_list_that_could_be_foreseen_or_not_be_followed_is_refused(other, said):
    with pytest.raises(ValueError, match=said):
        spec(**other)


@pytest.fixture
def revealed(used):
    for person in (DORA, DIRK):
        bundle.sign(used, who(person), STUDY, 1, "study lock 1")
    return json.loads(bundle.bundle(used, who(DORA), STUDY, 1))


def test_an_untouched_bundle_is_good_and_agrees_with_what_was_made_known(used, revealed):
    found = verify_bundle.verify(revealed, api.published(used, STUDY, 1).text())
    assert found.faults == ()
    assert (found.counts["receipts"], len(revealed["draws"])) == (12, 12)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_single_tamper_is_noticed(revealed):
    """`make bench` does 10,000; here are some hundred, at every kind of place."""
    draw, ways = Seeded(b"tampers"), list(places(revealed))
    for _ in range(400):
        way = ways[below(draw, len(ways))]
        assert verify_bundle.verify(spoil(revealed, way, draw)).faults, way


@pytest.mark.parametrize("kind", ["sqlite"])
def test_draws_are_held_against_the_seed_without_any_signature(revealed, monkeypatch):
    monkeypatch.setattr(verify_bundle, "Ed25519PublicKey", None)

    def faults(change):
        spoilt = copy.deepcopy(revealed)
        change(spoilt)
        return verify_bundle.verify(spoilt).faults

    def exchange(b):
        b["draws"][2], b["draws"][3] = b["draws"][3], b["draws"][2]

    def stratum(b):
        said = json.loads(b["receipts"][4]["text"])
        said["stratum"] = next(name for name in STRATA if name != said["stratum"])
        b["receipts"][4]["text"] = verify_bundle.canonical(said)

    def arm(b):
        said = json.loads(b["draws"][7])
        said["arm"] = next(one for one in ARMS if one != said["arm"])
        b["draws"][7] = verify_bundle.canonical(said)

    assert not faults(lambda _: None)
    for change in (exchange, stratum, arm, lambda b: b["draws"].pop(),
                   lambda b: b["draws"].append(b["draws"][0])):  # fmt: skip
        assert any("draw" in fault for fault in faults(change))


def test_both_implementations_make_the_same_draws():
    """Two and three arms, both metrics, weights: 60 participants each."""
    from randomization.drbg import HmacDrbg

    for arms, options in (
        (("A", "B"), {"favour": (4,), "of": (5,)}),
        (("A", "B", "C"), {"favour": (7,), "of": (10,), "weights": (3, 1)}),
        (("A", "B", "C", "D"), {"favour": (3,), "of": (5,), "variance": (1,)}),
    ):
        made = spec(scheme="minimise", options=options, ratio=tuple((a, 1) for a in arms))
        world = HmacDrbg(bytes(32))
        strata = [STRATA[world.below(3)] for _ in range(60)]
        mine = [one.text() for one in minimise.again(made, bytes(32), strata)]
        slots = verify_bundle.list_of(json.loads(made.canonical()), bytes(32))
        free = {name: iter([s for s in slots if s["stratum"] == name]) for name in STRATA}
        said = [{"stratum": name, "slot": next(free[name])["slot_id"]} for name in strata]
        told = {
            "public": {}, "spec": made.canonical(), "seed": bytes(32).hex(), "draws": mine,
            "receipts": [{"text": json.dumps(one)} for one in said],
        }  # fmt: skip
        assert list(verify_bundle._draws(told, slots, {})) == []


@pytest.mark.race
def test_everyone_at_once_is_counted_once(minimised):
    from concurrent.futures import ThreadPoolExecutor

    from ecrf.kernel import chance
    from ecrf.kernel.ledger import By, Origin
    from tests.people import ANNA, NOON

    def ask(n):
        by = By(ANNA, NOON, Origin.PAGE, chance.system)
        return api.randomize(minimised, by, request_(code(n), STRATA[n % 3], kits=0))

    with ThreadPoolExecutor(8) as pool:
        twice = list(pool.map(lambda n: ask(n // 2), range(80)))
    assert twice[0::2] == twice[1::2]
    assert len(opened(minimised)) == 40
    assert flaws(minimised) == []


def test_kits_leave_the_shelf_with_the_decision(used):
    with used.database.read() as session:
        held = session.scalars(select(Kit.participant).where(Kit.state == "assigned")).all()
    assert sorted(held) == [code(n) for n in range(12)]
