"""A list made elsewhere: read line by line, sealed like any other, never kept as a file."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from ecrf.kernel.errors import Conflict, NotAllowed, Unacceptable
from randomization import api as lists_api
from randomization import bundle, commit, verify_bundle
from randomization.ceremony import api, reading
from randomization.tables import ListRow, Slot
from tests.people import ANNA, DIRK, DORA, NOON, STUDY
from tests.randomization import ceremonies
from tests.randomization.ceremonies import HOUR, dora, stan
from tests.randomization.conftest import ARMS, STRATA, request_, spec, who

SQLITE = pytest.mark.parametrize("kind", ["sqlite"])
SLOTS = 8


def wanted(**other):
    return spec(**{"scheme": api.IMPORTED, "options": {}, "slots": SLOTS, **other})


def rows(slots=SLOTS):
    """A list in blocks of two, its strata and positions in no order."""
    made = [
        [stratum, str(position), ARMS[position % 2]]
        for stratum in STRATA for position in range(1, slots + 1)
    ]  # fmt: skip
    return [*made[::2], *made[1::2]]


def file(lines, head=("stratum", "position", "arm"), delimiter=",", mark=""):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, *lines])
    return (mark + text.getvalue()).encode()


def numbered(numbers):
    head = ("stratum", "position", "arm", "random number")
    return file([[*row, next(numbers)] for row in sorted(rows())], head)


@pytest.fixture
def specified(empty):
    api.specify(empty, stan(), wanted())
    return empty


def problems(vault, content):
    with pytest.raises(Unacceptable) as refused:
        api.import_list(vault, stan(), STUDY, 1, content)
    return [str(problem.message) for problem in refused.value.problems]


@pytest.mark.parametrize(("delimiter", "mark"), [(",", ""), (";", "\ufeff")])
def test_an_imported_list_is_sealed_published_made_again_activated_and_used(
    specified, delimiter, mark
):
    content = file(rows(), delimiter=delimiter, mark=mark)
    made = api.import_list(specified, stan(), STUDY, 1, content)
    assert made.slots == SLOTS * len(STRATA)
    assert f"file hash: {hashlib.sha256(content).hexdigest()}\n" in made.text()
    assert "seed commitment: none\n" in made.text()
    ceremonies.ready(specified, file=content)
    assert ceremonies.activated(specified).active
    for n in range(3):
        lists_api.randomize(
            specified, who(ANNA, at=NOON + 6 * HOUR), request_(f"PUMCH-{n:03d}", kits=0)
        )
    assert lists_api.verify(specified, STUDY) == lists_api.Verification(made.slots, 3, ())


@SQLITE
def test_the_file_is_kept_nowhere_and_two_imports_of_it_have_different_roots(specified):
    content = file(rows())
    one = api.import_list(specified, stan(), STUDY, 1, content)
    api.specify(specified, stan(), wanted(version=2))
    other = api.import_list(specified, stan(NOON + HOUR), STUDY, 2, content)
    assert one.root != other.root
    with specified.database.read() as session:
        kept = session.scalars(select(Slot.ciphertext)).all()
        seeds = session.scalars(select(ListRow.seed)).all()
    assert len({len(sealed) for sealed in kept}) == 1
    assert all(len(seed) == 16 for seed in seeds), "the tag of nothing"
    stored = Path(specified.database.engine.url.database)
    for path in stored.parent.glob(f"{stored.name}*"):
        assert b"ZZCANARY" not in path.read_bytes()


def test_numbers_of_the_file_are_kept_and_must_be_unique(specified):
    numbers = [f"X{n * 7919 % 1000:03d}" for n in range(SLOTS * len(STRATA))]
    api.import_list(specified, stan(), STUDY, 1, numbered(iter(numbers)))
    with specified.database.read() as session:
        kept = session.scalars(select(Slot.random_number).where(Slot.study == STUDY)).all()
    assert sorted(kept) == sorted(numbers)
    api.specify(specified, stan(), wanted(version=2))
    with pytest.raises(Conflict, match="on another list"):
        api.import_list(specified, stan(), STUDY, 2, numbered(iter(numbers)))


@SQLITE
def test_what_a_file_holds_is_weighed_for_the_statistician_alone(specified):
    lines = sorted(rows())
    lines[0][2] = ARMS[0] if lines[0][2] == ARMS[1] else ARMS[1]
    found = api.weigh(specified, stan(), STUDY, 1, file(lines))
    assert [one.kept for one in found.strata].count(False) == 1
    off = next(one for one in found.strata if not one.kept)
    assert sorted((count, due) for _, count, due in off.counts) == [(3, 4.0), (5, 4.0)]
    assert not found.ordered
    with pytest.raises(NotAllowed):
        api.weigh(specified, dora(), STUDY, 1, file(lines))
    assert ceremonies.actions(specified) == ["ceremony:specification"]


@SQLITE
def test_numbers_that_give_the_position_away_are_marked(specified):
    assert api.weigh(specified, stan(), STUDY, 1, numbered(iter(map(str, range(99))))).ordered
    mixed = (f"X{n * 7919 % 1000:03d}" for n in range(99))
    assert not api.weigh(specified, stan(), STUDY, 1, numbered(mixed)).ordered


def spoilt(at, column, value):
    lines = sorted(rows())
    lines[at][column] = value
    return file(lines)


@SQLITE
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Line 1: name the columns stratum, position, arm"),
        (file(rows(), ("stratum", "place", "arm")), "Line 1: name the columns"),
        (file([]), "no slots"),
        (b"\xff\xfe", "not UTF-8"),
        (file([*rows(), ["x", "1"]]), "Line 26: 3 columns are needed, here are 2."),
        (spoilt(0, 0, "site=XX"), "Line 2, column 1 (stratum): write one of"),
        (spoilt(3, 1, "four"), "Line 5, column 2 (position): write a whole number from 1."),
        (spoilt(3, 1, "0"), "Line 5, column 2 (position)"),
        (spoilt(3, 1, "9" * 400), "Line 5, column 2 (position)"),
        (spoilt(4, 2, "placebo"), "Line 6, column 3 (arm): write one of ZZCANARY1, ZZCANARY2."),
        (spoilt(0, 1, "2"), "position 2 is there twice."),
        (spoilt(7, 1, "99"), "position 8 is missing."),
        (file(sorted(rows())[:-1]), "8 slots are needed, here are 7."),
        (file(sorted(rows())[:16]), "8 slots are needed, here are 0."),
        (numbered(iter(["X1"] * 99)), "The random number X1 is there 24 times."),
        (numbered(iter(["X" * 13, *map(str, range(99))])), "column 4 (random number): write 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_column_and_what_would_be_right(
    specified, content, says
):
    told = problems(specified, content)
    assert any(says in line for line in told), told
    assert ceremonies.actions(specified) == ["ceremony:specification"]
    with specified.database.read() as session:
        assert session.scalars(select(Slot.id)).all() == []


@SQLITE
def test_a_file_full_of_mistakes_gives_a_short_answer(specified):
    lines = [["?", "?", "?"] for _ in range(500)]
    told = problems(specified, file(lines))
    assert len(told) == reading.MOST_SAID + 1
    assert told[-1] == f"And {1500 - reading.MOST_SAID} more."


@SQLITE
def test_the_second_machine_finds_another_root_in_another_file(specified):
    content = file(rows())
    made = api.import_list(specified, stan(), STUDY, 1, content)
    with pytest.raises(Unacceptable, match="name the file"):
        ceremonies.again(specified)
    assert ceremonies.again(specified, file=content).root == made.root
    lines = sorted(rows())
    lines[0][2], lines[1][2] = lines[1][2], lines[0][2]
    assert ceremonies.again(specified, file=file(lines)).root != made.root
    with pytest.raises(Unacceptable, match="other slots"):
        ceremonies.again(specified, file=file(rows(SLOTS + 2)))


@SQLITE
def test_a_stranger_checks_a_revealed_list_that_was_imported(specified):
    content = file(rows())
    api.import_list(specified, stan(), STUDY, 1, content)
    ceremonies.ready(specified, file=content)
    ceremonies.activated(specified)
    lists_api.randomize(specified, who(ANNA, at=NOON + 6 * HOUR), request_("PUMCH-001", kits=0))
    for person in (DORA, DIRK):
        bundle.sign(specified, who(person, at=NOON + 7 * HOUR), STUDY, 1, "lock")
    revealed = json.loads(bundle.bundle(specified, who(DORA, at=NOON + 8 * HOUR), STUDY, 1))
    filed = api.published(specified, dora(), STUDY, 1).text()
    found = verify_bundle.verify(revealed, filed)
    assert (found.faults, found.counts["slots"]) == ((), SLOTS * len(STRATA))
    revealed["leaves"][3]["arm"] = "another"
    assert any("root" in fault for fault in verify_bundle.verify(revealed, filed).faults)
    other = filed.replace("file hash: ", "file hash: 0")
    assert "the file hash is not the one made known beforehand" in (
        verify_bundle.verify(revealed, other).faults
    )


@SQLITE
def test_a_drawn_list_is_not_imported_nor_an_imported_one_drawn(specified):
    with pytest.raises(Conflict, match="different steps"):
        api.seal_seed(specified, stan(), STUDY, 1, ceremonies.PLAN)
    api.specify(specified, stan(), spec(version=2))
    with pytest.raises(Conflict, match="different steps"):
        api.import_list(specified, stan(), STUDY, 2, file(rows()))


@SQLITE
def test_an_imported_list_that_was_changed_afterwards_is_noticed(specified):
    api.import_list(specified, stan(), STUDY, 1, file(rows()))
    with specified.database.write() as session:
        first = session.scalars(select(Slot).limit(1)).one()
        first.leaf = "0" * 64
    assert [str(flaw) for flaw in lists_api.verify(specified, STUDY).flaws] == [
        "List 1: the slots are not those of the seed.",
    ]
    assert commit.NO_SEED == "none"
