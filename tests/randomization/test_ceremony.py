"""The ceremony of a list: its turns, its secrets, the second machine, the two who activate."""

import json
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from randomization import api as lists_api
from randomization import commit, design, seal, verify_bundle
from randomization.arm import Arm
from randomization.ceremony import api, books, checks, reproducing, steps
from randomization.ceremony.tables import Ceremony, CeremonyStep
from randomization.commit import Leaf
from randomization.tables import ListRow
from tests.people import ALMA, ANNA, DIRK, DORA, MONA, NOON, PAUL, STUDY
from tests.randomization import ceremonies
from tests.randomization.ceremonies import HOUR, PLAN, ROUND, dora, stan
from tests.randomization.conftest import ARMS, request_, spec, who

SEED = bytes(range(32))
BEACON = "aa" * 32
KNOWN_SEED = "e24e236a9d386722828be154172af7c056470717c9d7a0dce3a7e19b31bafb79"
KNOWN_ROOT = "1851c581f6a11d6b5627f830afabbe92a0f28edf00bbd6f6cd0466ef1d30181a"
SQLITE = pytest.mark.parametrize("kind", ["sqlite"])


@pytest.fixture
def production(vault_database, keys):
    return lists_api.Vault(vault_database, keys, "production")


def test_specification_seed_and_beacon_give_the_known_root_for_ever():
    made = spec(environment="production", software="ecrf 0.1.0 code 000000000000")
    seed = design.mixed(SEED, BEACON)
    assert seed.hex() == KNOWN_SEED
    assert commit.root(design.leaves(made, seed)) == KNOWN_ROOT
    slots = verify_bundle.list_of(json.loads(made.canonical()), SEED, BEACON)
    assert verify_bundle._root([verify_bundle.canonical(slot) for slot in slots]) == KNOWN_ROOT


def test_a_beacon_changes_the_seed_and_no_beacon_leaves_it():
    assert design.mixed(SEED, "") == SEED
    assert len({design.mixed(SEED, beacon) for beacon in ("", "1", "2", "12")}) == 4


@pytest.mark.req("RA-01", "L3")
def test_a_list_goes_through_its_ceremony_in_production_and_serves(production):
    assert ceremonies.whole(production, environment="production").active
    receipt = lists_api.randomize(
        production, who(ANNA, at=NOON + 6 * HOUR), request_("PUMCH-001", kits=0)
    )
    assert receipt.random_number.startswith("R")
    assert lists_api.verify(production, STUDY).flaws == ()
    assert ceremonies.actions(production)[:-1] == [
        f"ceremony:{step}" for step in (
            "specification", "seed", "beacon plan", "announcement", "beacon", "generation",
            "publication", "export", "reproduction", "activation", "activation", "active",
        )
    ]  # fmt: skip
    with production.database.read() as session:
        assert ledger_verify.verify(session, ledger=lists_api.LEDGER).flaws == ()


@SQLITE
def test_production_knows_no_short_way(production):
    by, made = who(ALMA), spec(environment="production")
    with pytest.raises(Conflict, match="by its ceremony"):
        lists_api.generate(production, by, made)
    ceremonies.generated(production, environment="production")
    with pytest.raises(Conflict, match="by its ceremony"):
        lists_api.publish(production, by, STUDY, 1)
    ceremonies.ready(production)
    with pytest.raises(Conflict, match="by its ceremony"):
        lists_api.activate(production, by, STUDY, 1)


@SQLITE
def test_a_ceremony_begun_is_not_cut_short_anywhere(empty):
    ceremonies.announced(empty)
    with pytest.raises(Conflict, match="made by a ceremony"):
        lists_api.generate(empty, who(ALMA), spec())
    api.beacon(empty, stan(NOON + 2 * HOUR), STUDY, 1, ROUND)
    api.generate(empty, stan(NOON + 3 * HOUR), STUDY, 1)
    with pytest.raises(Conflict, match="made by a ceremony"):
        lists_api.publish(empty, who(ALMA), STUDY, 1)


@pytest.mark.req("L19")
@SQLITE
def test_a_ceremony_belongs_to_its_environment(empty, production):
    with pytest.raises(Conflict, match="this vault is for test"):
        api.specify(empty, stan(), spec(environment="production"))
    with pytest.raises(Conflict, match="this vault is for production"):
        api.specify(production, stan(), api.read_spec(spec().canonical()))
    ceremonies.generated(empty)
    for step in (api.standing, api.announcement, api.published, api.export):
        with pytest.raises(NotFound):
            step(production, stan(), STUDY, 1)


@pytest.mark.req("L19")
@SQLITE
def test_what_was_sealed_for_tests_cannot_be_opened_as_production(empty, production):
    """Whoever moves the rows by hand gains nothing: the environment is bound in every seal."""
    ceremonies.generated(empty)
    sealed = json.loads(api.export(empty, stan(NOON + 3 * HOUR), STUDY, 1))
    moved = json.dumps({**sealed, "environment": "production"})
    with pytest.raises(Unacceptable, match="does not open"):
        reproducing.reproduce(moved, empty.keys, None)
    with empty.database.write() as session:
        session.execute(text("DROP TRIGGER ceremony_no_update"))
        session.execute(update(Ceremony).values(environment="production"))
    with production.database.read() as session:
        row = books.required(session, production, STUDY, 1)
        with pytest.raises(InvalidTag):
            books.spec_of(production, row)


def test_each_step_comes_in_its_turn_and_once(empty):
    with pytest.raises(NotFound):
        api.seal_seed(empty, stan(), STUDY, 1, PLAN)
    api.specify(empty, stan(), spec())
    with pytest.raises(Conflict, match="List 1 of this study is there already"):
        api.specify(empty, stan(), spec())
    for early in (
        lambda: api.announce(empty, stan(), STUDY, 1, "x"),
        lambda: api.beacon(empty, stan(), STUDY, 1, ROUND),
        lambda: api.generate(empty, stan(), STUDY, 1),
        lambda: api.publish(empty, stan(), STUDY, 1, "x"),
        lambda: api.activate(empty, stan(), STUDY, 1),
        lambda: api.confirm(empty, dora(), STUDY, 1, "0" * 64, "0" * 8, "x"),
    ):
        with pytest.raises(Conflict, match="Something comes first"):
            early()
    api.seal_seed(empty, stan(), STUDY, 1, PLAN)
    with pytest.raises(Conflict, match="done and never changed"):
        api.seal_seed(empty, stan(), STUDY, 1, PLAN)
    with pytest.raises(Conflict, match="different steps"):
        api.import_list(empty, stan(), STUDY, 1, b"")


def test_a_beacon_is_refused_without_a_publication_and_before_its_time_and_a_second_time(empty):
    api.specify(empty, stan(), spec())
    api.seal_seed(empty, stan(), STUDY, 1, PLAN)
    with pytest.raises(Conflict, match="First publication filed"):
        api.beacon(empty, stan(NOON + 3 * HOUR), STUDY, 1, ROUND)
    api.announce(empty, stan(NOON + HOUR), STUDY, 1, "Registry")
    with pytest.raises(Conflict, match="cannot be known before 2026-03-02 06:00"):
        api.beacon(empty, stan(NOON + HOUR), STUDY, 1, ROUND)
    with pytest.raises(Unacceptable, match="not a value of this source"):
        api.beacon(empty, stan(NOON + 2 * HOUR), STUDY, 1, "3g" * 32)
    api.beacon(empty, stan(NOON + 2 * HOUR), STUDY, 1, f" {ROUND.upper()[:32]} {ROUND[32:]}\n")
    assert api.standing(empty, stan(), STUDY, 1).fact(api.Step.BEACON, "value") == ROUND
    with pytest.raises(Conflict, match="done and never changed"):
        api.beacon(empty, stan(NOON + 3 * HOUR), STUDY, 1, "00" * 32)


@SQLITE
def test_what_could_be_known_already_is_no_beacon(empty):
    api.specify(empty, stan(), spec())
    with pytest.raises(Unacceptable, match="in the future"):
        api.seal_seed(empty, stan(NOON + 2 * HOUR), STUDY, 1, PLAN)
    with pytest.raises(Unacceptable, match="which value"):
        api.seal_seed(empty, stan(), STUDY, 1, replace(PLAN, words=" "))
    api.seal_seed(empty, stan(), STUDY, 1, PLAN)
    with pytest.raises(Conflict, match="may be known by now"):
        api.announce(empty, stan(NOON + 2 * HOUR), STUDY, 1, "too late")
    later = replace(PLAN, words="round 2", known_from=NOON + 9 * HOUR)
    api.plan_again(empty, stan(NOON + 2 * HOUR), STUDY, 1, later)
    said = api.announcement(empty, stan(), STUDY, 1)
    assert said.beacon == "drand: round 2"
    api.announce(empty, stan(NOON + 3 * HOUR), STUDY, 1, "Registry")
    with pytest.raises(Conflict, match="done and never changed"):
        api.plan_again(empty, stan(NOON + 3 * HOUR), STUDY, 1, later)


@pytest.mark.parametrize("table", ["ceremony", "ceremony_step"])
def test_the_database_itself_refuses_to_change_a_ceremony(empty, table):
    ceremonies.announced(empty)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1"):
        with pytest.raises(DBAPIError, match="append-only"), empty.database.write() as session:
            session.execute(text(statement))


@SQLITE
@pytest.mark.parametrize("person", [ANNA, MONA, ALMA, PAUL])
def test_nobody_else_takes_part(empty, person):
    ceremonies.announced(empty)
    by = who(person, at=NOON + 2 * HOUR)
    for step in (api.generate, api.activate, api.export, api.standing, api.minutes):
        with pytest.raises(NotAllowed):
            step(empty, by, STUDY, 1)
    with pytest.raises(NotAllowed):
        api.specify(empty, by, spec(version=2))


@SQLITE
def test_who_signs_the_activation_does_not_make_the_list(empty):
    ceremonies.announced(empty)
    for step in (api.generate, api.export):
        with pytest.raises(NotAllowed):
            step(empty, dora(), STUDY, 1)
    with pytest.raises(NotAllowed):
        api.beacon(empty, dora(), STUDY, 1, ROUND)


def test_two_different_people_activate_after_the_list_was_made_again(empty):
    ceremonies.generated(empty)
    api.publish(empty, stan(NOON + 4 * HOUR), STUDY, 1, "Ethics committee")
    with pytest.raises(Conflict, match="make the list again first"):
        api.activate(empty, dora(), STUDY, 1)
    found = ceremonies.again(empty)
    with pytest.raises(Conflict, match="did not make the list"):
        api.confirm(empty, stan(NOON + 4 * HOUR), STUDY, 1, found.root, found.check, "here")
    api.confirm(empty, dora(), STUDY, 1, found.root, found.check, "Laptop 2")
    assert not api.activate(empty, dora(NOON + 5 * HOUR), STUDY, 1).active
    assert lists_api.published(empty, STUDY, 1).state == "published"
    with pytest.raises(Conflict, match="signed already"):
        api.activate(empty, dora(NOON + 5 * HOUR), STUDY, 1)
    assert api.activate(empty, who(DIRK, at=NOON + 5 * HOUR), STUDY, 1).active
    assert lists_api.published(empty, STUDY, 1).state == "active"
    with pytest.raises(Conflict, match="ceremony is over"):
        api.activate(empty, stan(NOON + 6 * HOUR), STUDY, 1)


def test_another_root_is_recorded_and_bars_the_list_for_good(empty):
    ceremonies.generated(empty)
    ceremonies.ready(empty)
    with empty.database.read() as session:
        key = books.key_of(empty, books.required(session, empty, STUDY, 1))
    other = "1" * 64
    with pytest.raises(Unacceptable, match="do not belong together"):
        api.confirm(empty, dora(), STUDY, 1, other, "00000000", "a slip")
    check = reproducing.check_value(key, other)
    assert api.confirm(empty, dora(), STUDY, 1, other.upper(), check, "Laptop 3").disagreed
    with pytest.raises(Conflict, match="another root"):
        api.activate(empty, dora(NOON + 5 * HOUR), STUDY, 1)
    assert "agrees" in str(api.standing(empty, dora(), STUDY, 1).steps[-1].content)
    api.abandon(empty, stan(NOON + 6 * HOUR), STUDY, 1, "Another root was found")
    assert lists_api.published(empty, STUDY, 1).state == "closed"
    with pytest.raises(Conflict, match="abandoned"):
        api.activate(empty, dora(NOON + 7 * HOUR), STUDY, 1)


@SQLITE
def test_a_list_that_was_changed_after_its_publication_is_not_activated(empty):
    ceremonies.generated(empty)
    ceremonies.ready(empty)
    with empty.database.write() as session:
        session.execute(update(ListRow).values(root="0" * 64))
    api.activate(empty, dora(NOON + 5 * HOUR), STUDY, 1)
    with pytest.raises(Conflict, match="not the one that was published"):
        api.activate(empty, stan(NOON + 5 * HOUR), STUDY, 1)
    assert len(api.standing(empty, dora(), STUDY, 1).all(api.Step.ACTIVATE)) == 1


def test_the_second_machine_needs_the_sealed_file_and_the_key_only(empty, tmp_path):
    made = ceremonies.generated(empty)
    sealed = api.export(empty, stan(NOON + 3 * HOUR), STUDY, 1)
    assert "CANARY" not in sealed and "permuted" not in sealed and made.root not in sealed
    found = api.reproduce(sealed, tmp_path / "vault.key")
    assert (found.root, found.slots) == (made.root, made.slots)
    assert found.software == found.software_here == made.software
    strange = seal.make_keys(tmp_path / "strange.key", lambda count: b"s" * count)
    with pytest.raises(Unacceptable, match="does not open"):
        reproducing.reproduce(sealed, strange, None)
    for broken in ("", "[]", "{}", sealed.replace('"format"', '"formal"'), sealed[:-9] + '"}'):
        with pytest.raises(Unacceptable, match=r"not a sealed ceremony|does not open"):
            reproducing.reproduce(broken, empty.keys, None)


@SQLITE
def test_a_changed_sealed_file_gives_another_root_or_nothing(empty):
    """The one part in clear is the beacon: with another the root is another."""
    made = ceremonies.generated(empty)
    sealed = json.loads(api.export(empty, stan(NOON + 3 * HOUR), STUDY, 1))
    other = reproducing.reproduce(json.dumps({**sealed, "beacon": "0"}), empty.keys, None)
    assert other.root != made.root
    for name in ("spec", "seed", "key"):
        part = sealed[name]
        spoilt = {**sealed, name: ("B" if part[0] == "A" else "A") + part[1:]}
        with pytest.raises(Unacceptable, match="does not open"):
            reproducing.reproduce(json.dumps(spoilt), empty.keys, None)


@SQLITE
def test_no_record_tells_an_arm_or_a_block(empty):
    ceremonies.whole(empty)
    for name in api.RECORDS:
        said = api.record_text(empty, dora(), STUDY, 1, name)
        assert "CANARY" not in said
        assert not any(word in said for word in ("permuted", "sizes", "block size"))
    minutes = api.minutes(empty, dora(), STUDY, 1)
    for words in ("Stan Luo", "Dora Chen", "Registry, annex 3", "Laptop 2", ROUND, "种子"):
        assert words in minutes
    assert minutes.count("2. Seed drawn and sealed") == 1
    with empty.database.read() as session:
        contents = session.scalars(select(CeremonyStep.content)).all()
    assert not any("sizes" in content or "CANARY" in content for content in contents)


@SQLITE
def test_both_publications_agree_with_the_revealed_bundle(empty):
    from randomization import bundle

    ceremonies.whole(empty)
    for person in (DORA, DIRK):
        bundle.sign(empty, who(person), STUDY, 1, "lock")
    revealed = json.loads(bundle.bundle(empty, who(DORA), STUDY, 1))
    second = api.published(empty, dora(), STUDY, 1).text()
    first = api.announcement(empty, dora(), STUDY, 1).text()
    assert verify_bundle.verify(revealed, second + first).faults == ()
    other = first.replace("17842000", "17842001")
    assert verify_bundle.verify(revealed, second + other).faults == (
        "the beacon is not the one made known beforehand",
    )
    revealed["public"]["beacon_value"] = "00" * 32
    assert any("root" in fault for fault in verify_bundle.verify(revealed, second).faults)


@SQLITE
def test_an_abandoned_number_stays_taken(empty):
    ceremonies.announced(empty)
    api.abandon(empty, stan(NOON + HOUR), STUDY, 1, "The beacon failed")
    with pytest.raises(Conflict, match="abandoned"):
        api.beacon(empty, stan(NOON + 2 * HOUR), STUDY, 1, ROUND)
    with pytest.raises(Conflict, match="there already"):
        api.specify(empty, stan(), spec())
    assert ceremonies.whole(empty, version=2).active
    assert [(one.version, one.ceremony) for one in api.listing(empty, dora(), STUDY)] == [
        (2, True), (1, True),
    ]  # fmt: skip


def _leaves(arms, stratum="s"):
    return [Leaf(str(n), stratum, n, Arm(arm), b"") for n, arm in enumerate(arms, 1)]


@pytest.mark.parametrize(
    ("design_", "good", "bad"),
    [
        ({"options": {"sizes": (4, 6)}}, "AABBABABAB", "AABBBAABABB"),
        ({"options": {"sizes": (4,)}}, "ABBABBAA", "AAABBBAB"),
        ({"scheme": "big_stick", "options": {"bound": (2,)}}, "AABBBBAA", "AAABBBAB"),
        ({"scheme": "simple", "options": {}}, "AAAAAAAA", "AAAAAAAC"),
    ],
)
def test_a_list_that_is_not_what_was_specified_is_not_kept(design_, good, bad):
    made = spec(ratio=(("A", 1), ("B", 1)), strata=("s",), slots=8, **design_)
    checks.require(made, _leaves(good))
    with pytest.raises(Conflict, match="not what its specification says") as refused:
        checks.require(made, _leaves(bad))
    assert "A" not in str(refused.value).replace("As", "")
    with pytest.raises(Conflict, match="not what"):
        checks.require(made, _leaves(good[:4]))
    twice = [leaf._replace(slot_id="1") for leaf in _leaves(good)]
    with pytest.raises(Conflict, match="same id"):
        checks.require(made, twice)


def test_every_step_has_its_words_and_its_place():
    assert set(steps.TITLES) == set(steps.MEANINGS) == set(steps.NEEDS) == set(api.Step)
    assert set(steps.DRAWN) | set(steps.IMPORTED) | {api.Step.SPECIFY} == set(api.Step)


def test_a_minimised_list_is_kept_when_nobody_has_an_arm_yet():
    made = spec(scheme="minimise", options={"favour": (4,), "of": (5,)}, slots=8)
    leaves = design.leaves(made, bytes(32))
    checks.require(made, leaves)
    decided = [leaves[0]._replace(arm=Arm(ARMS[0])), *leaves[1:]]
    with pytest.raises(Conflict, match="not what its specification says"):
        checks.require(made, decided)
