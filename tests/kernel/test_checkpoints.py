"""Checkpoints and verification: every way to tamper is found, and named."""

import json
from datetime import timedelta
from random import Random  # noqa: TID251 (the tampering is the same in every run)

import pytest
from sqlalchemy import delete, insert, select, update

from ecrf.kernel import chain, checkpoints, keys, notes
from ecrf.kernel.chain import Change
from ecrf.kernel.checkpoints import Desk
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.keys import Signer
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act
from ecrf.kernel.verify import Kind, Walk, _checkpoints, _heads, _rows, verify
from tests import people as cast

SIGNER = Signer("ecrf", b"7" * 32)
A, B = "participant:x/A-001", "participant:x/A-002"


@pytest.fixture
def desk(tmp_path):
    return Desk(SIGNER, tmp_path / "outside")


@pytest.fixture
def grown(database, by, desk):
    """A ledger with two chains of eight acts, and two checkpoints on the way."""
    with database.write() as session:
        for name in (A, B):
            first = Act("participant:enrol", None, key=name)
            LEDGER.write(session, by(cast.ANNA), [(chain.start(name), first)])
    _more(database, by, 4)
    with database.write() as session:
        checkpoints.make(session, by(cast.DORA), desk)
    _more(database, by, 3)
    with database.write() as session:
        checkpoints.make(session, by(cast.DORA), desk)
    return database


def _more(database, by, count):
    for number in range(count):
        with database.write() as session:
            for name in (A, B):
                changes = [Change("pulse", None, {"text": f"{number}"}), Change("x", 1, 2)]
                act = Act("entry:save", None, key=f"entry:{number}", changes=changes)
                LEDGER.record(session, by(cast.ANNA), name, act)


def _flaws(database, desk, **options):
    with database.read() as session:
        handed = checkpoints.outside(desk.folder)
        return verify(session, SIGNER.verifier, handed, **options)


def _tamper(database, *statements):
    """Do what an intruder who owns the database can: switch the triggers off and write."""
    with database.write() as session:
        connection = session.connection()
        if database.engine.dialect.name == "sqlite":
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).scalars()
            for name in list(names):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("ALTER TABLE act DISABLE TRIGGER USER")
            connection.exec_driver_sql("ALTER TABLE checkpoint DISABLE TRIGGER USER")
        for statement in statements:
            connection.execute(statement)


def _act(name, seq):
    c = LEDGER.act.c
    return (c.chain == name) & (c.seq == seq)


def test_an_untouched_ledger_has_no_flaw(grown, desk):
    seen = _flaws(grown, desk)
    assert seen.flaws == ()
    assert (seen.chains, seen.acts, seen.checkpoints) == (3, 1 + 2 * 8 + 2, 2)


def test_notes_handed_out_are_those_kept_and_chained(grown, desk):
    outside = list(checkpoints.outside(desk.folder))
    with grown.read() as session:
        kept = [checkpoints.note(session, 0), checkpoints.note(session, 1)]
    assert [note for _, note in outside] == kept
    assert notes.read(kept[1]).previous == notes.digest(kept[0])
    assert notes.read(kept[0]).previous == "0" * 64


def test_a_note_states_the_tree_of_all_heads(grown):
    with grown.read() as session:
        live = checkpoints.heads(session)
        assert checkpoints.heads_at(session, 1) == live
        said = notes.read(checkpoints.note(session, 1))
    assert said.root == notes.root(live)
    assert said.acts == sum(size for size, _ in live.values())
    assert sorted(live) == sorted([A, B, SYSTEM])


def test_a_checkpoint_undone_leaves_no_file(grown, desk, by):
    with pytest.raises(ZeroDivisionError), grown.write() as session:
        checkpoints.make(session, by(cast.DORA), desk)
        _ = 1 / 0
    assert len(list(checkpoints.outside(desk.folder))) == 2


def test_a_checkpoint_may_cover_heads_read_earlier(grown, desk, by):
    with grown.read() as session:
        earlier = checkpoints.heads(session)
    _more(grown, by, 2)
    with grown.write() as session:
        made = checkpoints.make(session, by(cast.DORA), desk, over=earlier)
    with grown.read() as session:
        assert checkpoints.heads_at(session, made.number) == earlier
    assert _flaws(grown, desk).flaws == ()


@pytest.mark.req("AT-06")
@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"changes": "[]"}, Kind.CONTENT),
        ({"header": "{}"}, Kind.ALTERED),
        ({"header": "no"}, Kind.ALTERED),
        ({"link": "0" * 64}, Kind.ALTERED),
        ({"action": "entry:sign"}, Kind.COLUMNS),
        ({"key": "entry:9"}, Kind.COLUMNS),
        ({"actor_id": 99}, Kind.COLUMNS),
        ({"at": cast.START}, Kind.COLUMNS),
    ],
)
def test_an_altered_act_is_named(grown, desk, values, wrong):
    _tamper(grown, update(LEDGER.act).where(_act(A, 3)).values(**values))
    first = _flaws(grown, desk).flaws[0]
    assert (first.kind, first.chain, first.seq) == (wrong, A, 3)


def test_a_value_swapped_for_another_is_named(grown, desk):
    with grown.read() as session:
        text = session.scalar(select(LEDGER.act.c.changes).where(_act(A, 3)))
    content = json.loads(text)
    content[0]["new"] = {"text": "999"}
    changed = update(LEDGER.act).where(_act(A, 3)).values(changes=chain.canonical(content))
    _tamper(grown, changed)
    assert [(f.kind, f.chain, f.seq) for f in _flaws(grown, desk).flaws] == [
        (Kind.CONTENT, A, 3)
    ]


def test_a_removed_act_is_named(grown, desk):
    _tamper(grown, delete(LEDGER.act).where(_act(B, 2)))
    first = _flaws(grown, desk).flaws[0]
    assert (first.kind, first.chain, first.seq) == (Kind.MISSING, B, 2)


def test_acts_that_changed_places_are_named(grown, desk):
    _tamper(
        grown,
        update(LEDGER.act).where(_act(A, 2)).values(seq=99),
        update(LEDGER.act).where(_act(A, 3)).values(seq=2),
        update(LEDGER.act).where(_act(A, 99)).values(seq=3),
    )
    found = [(f.chain, f.seq) for f in _flaws(grown, desk).flaws]
    assert found[0] == (A, 2)
    assert (A, 3) in found


def test_an_inserted_act_is_named(grown, desk, by):
    with grown.read() as session:
        row = session.execute(select(LEDGER.act).where(_act(A, 7))).one()._asdict()
    _tamper(grown, insert(LEDGER.act).values({**row, "seq": 8}))
    found = _flaws(grown, desk).flaws
    assert (found[0].chain, found[0].seq) == (A, 8)
    assert Kind.HEAD in {flaw.kind for flaw in found}


def test_a_cut_tail_is_named(grown, desk):
    _tamper(grown, delete(LEDGER.act).where(_act(A, 7)))
    found = [(f.kind, f.chain, f.seq) for f in _flaws(grown, desk).flaws]
    assert found == [(Kind.HEAD, A, 7), (Kind.CUT, A, 7)]


def test_a_cut_tail_with_a_mended_head_is_named_by_the_checkpoint(grown, desk):
    _cut(grown, A, 6)
    assert [(f.kind, f.chain, f.seq) for f in _flaws(grown, desk).flaws] == [(Kind.CUT, A, 6)]


def test_a_vanished_chain_is_named(grown, desk):
    _tamper(
        grown,
        delete(LEDGER.act).where(LEDGER.act.c.chain == B),
        delete(LEDGER.chain).where(LEDGER.chain.c.name == B),
    )
    assert {f.chain for f in _flaws(grown, desk).flaws} == {B}


def test_a_chain_written_anew_is_named_by_the_checkpoint(grown, desk, by):
    with grown.read() as session:
        rows = session.execute(
            select(LEDGER.act).where(LEDGER.act.c.chain == A).order_by(LEDGER.act.c.seq)
        ).all()
    link, changes = chain.GENESIS, []
    for row in rows:
        header = json.loads(row.header)
        header["name"] = "Somebody Else"
        text = chain.canonical(header)
        link = chain.follow(link, text)
        changes.append(
            update(LEDGER.act).where(_act(A, row.seq)).values(header=text, link=link)
        )
    head = update(LEDGER.chain).where(LEDGER.chain.c.name == A).values(link=link)
    _tamper(grown, *changes, head)
    found = {(f.kind, f.chain, f.seq) for f in _flaws(grown, desk).flaws}
    assert found == {(Kind.CHECKPOINT, A, 4), (Kind.CHECKPOINT, A, 7)}


def test_a_removed_checkpoint_is_named(grown, desk):
    table = LEDGER.checkpoint
    _tamper(grown, delete(table).where(table.c.number == 0))
    assert (Kind.CHECKPOINT, "", 0) in {
        (f.kind, f.chain, f.seq) for f in _flaws(grown, desk).flaws
    }


@pytest.mark.parametrize("column", ["note", "heads"])
def test_an_altered_checkpoint_is_named(grown, desk, column):
    table = LEDGER.checkpoint
    with grown.read() as session:
        text = session.scalar(select(table.c[column]).where(table.c.number == 1))
    altered = text.replace("ecrf ledger", "ecrf ledgex").replace(A, "participant:x/A-003")
    _tamper(grown, update(table).where(table.c.number == 1).values({column: altered}))
    assert (Kind.CHECKPOINT, 1) in {(f.kind, f.seq) for f in _flaws(grown, desk).flaws}


def test_a_checkpoint_signed_with_another_key_is_named(grown, desk):
    with grown.read() as session:
        seen = verify(session, Signer("ecrf", b"8" * 32).verifier)
    assert {(f.kind, f.seq) for f in seen.flaws} == {
        (Kind.CHECKPOINT, 0),
        (Kind.CHECKPOINT, 1),
    }


@pytest.mark.req("AT-19")
def test_an_older_copy_of_the_database_is_named_by_the_notes_outside(grown, desk):
    table = LEDGER.checkpoint
    with grown.read() as session:
        size = checkpoints.heads_at(session, 0)
    _cut(grown, A, size[A][0])
    _cut(grown, B, size[B][0])
    _cut(grown, SYSTEM, size[SYSTEM][0])
    _tamper(grown, delete(table).where(table.c.number == 1))
    assert [(f.kind, f.seq) for f in _flaws(grown, desk).flaws] == [(Kind.OUTSIDE, 1)]


def test_an_older_copy_of_the_database_is_not_signed(grown, desk, by):
    table = LEDGER.checkpoint
    _tamper(grown, delete(table).where(table.c.number == 1))
    with pytest.raises(Unavailable, match="older than its checkpoints"), grown.write() as s:
        (desk.folder / "000007.txt").write_text("from another time", encoding="utf-8")
        checkpoints.make(s, by(cast.DORA), desk)


def test_a_shortened_ledger_is_not_signed(grown, desk, by):
    _cut(grown, A, 5)
    with pytest.raises(Unavailable, match="A-001 has 5 acts"), grown.write() as session:
        checkpoints.make(session, by(cast.DORA), desk)


def _cut(database, name, size):
    """Cut a chain's tail and mend its head."""
    c = LEDGER.act.c
    with database.read() as session:
        last = session.execute(select(c.link, c.at).where(_act(name, size - 1))).one()
    _tamper(
        database,
        delete(LEDGER.act).where((c.chain == name) & (c.seq >= size)),
        update(LEDGER.chain)
        .where(LEDGER.chain.c.name == name)
        .values(size=size, link=last.link, last_at=last.at),
    )


def test_hundred_random_tamperings_are_all_found(grown, desk):
    with grown.read() as session:
        heads, rows = _heads(session, LEDGER, None), list(_rows(session, LEDGER, None))
        marks, _, _ = _checkpoints(session, LEDGER, None)
    assert list(Walk(heads, marks).over(rows)) == []
    chance = Random(7)
    for _ in range(100):
        assert list(Walk(heads, marks).over(_mutated(chance, list(rows))))


def _mutated(chance, rows):
    at = chance.randrange(len(rows))
    match chance.randrange(5):
        case 0:
            del rows[at]
        case 1:
            rows.insert(at, rows[chance.randrange(len(rows))])
        case 2:
            other = (at + 1) % len(rows)
            rows[at], rows[other] = rows[other], rows[at]
        case 3:
            rows[at] = rows[at]._replace(at=rows[at].at + timedelta(seconds=1))
        case _:
            field = chance.choice(["header", "link", "changes"])
            text = getattr(rows[at], field)
            place = chance.randrange(len(text))
            flipped = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
            rows[at] = rows[at]._replace(**{field: flipped})
    return rows


def test_key_files_are_made_once_and_for_their_owner_alone(tmp_path):
    path = tmp_path / "keys" / "signing.key"
    made = keys.make(path, lambda: b"1" * 32)
    assert keys.make(path, lambda: b"2" * 32) == made == keys.load(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"1" * 32 not in repr(keys.signer(path)).encode()


def test_a_key_file_others_may_read_is_refused(tmp_path):
    path = tmp_path / "signing.key"
    keys.make(path, lambda: b"1" * 32)
    path.chmod(0o644)
    with pytest.raises(Unavailable, match="may be read by others"):
        keys.signer(path)


def test_a_missing_key_file_says_what_makes_it(tmp_path):
    with pytest.raises(Unavailable, match="ecrf init"):
        keys.signer(tmp_path / "none.key")


def test_a_public_key_is_read_back_from_its_text():
    verifier = SIGNER.verifier
    assert keys.verifier(verifier.text()) == verifier
    with pytest.raises(ValueError, match="no Ed25519 key"):
        keys.verifier(verifier.text().replace("ecrf+", "ecrg+"))


def test_a_signed_note_holds_to_the_letter():
    what = notes.checkpoint({A: (3, "ab" * 32)}, 0, cast.NOON, notes.FIRST)
    note = notes.signed(what, SIGNER)
    assert notes.stands(note, SIGNER.verifier)
    assert notes.read(note) == what
    assert note.startswith("ecrf ledger\n1\n")
    for place in range(0, len(note) - 1, 7):
        broken = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        assert not notes.stands(broken, SIGNER.verifier), place
