"""The judge of blinding: exchange the arms, and nothing a blinded role can reach may differ."""

import sqlite3

import pytest
from sqlalchemy import select

from randomization import api
from tests.blinding import worlds
from tests.blinding.worlds import NOW, STUDY
from visits.tables import Participant

BLINDED = ("anna", "carl", "bo", "dora", "mona", "adam", "audrey", "alma")
PAGES = 250


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The two worlds, built the same but for the arms."""
    with pytest.MonkeyPatch.context() as patch:
        one, other = (tmp_path_factory.mktemp(name) for name in ("one", "other"))
        with (
            worlds.world(one, patch, exchanged=False) as first,
            worlds.world(other, patch, exchanged=True) as second,
        ):
            yield first, second


def rows(path):
    """Return every row of every table, in the order they lie in the file."""
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


def arms(world):
    """Return the arm of every randomized participant: what the worlds differ in."""
    with world.place.database.read() as session:
        codes = {
            row.code: row.site
            for row in session.execute(
                select(Participant.code, Participant.site).where(
                    Participant.random_number.is_not(None)
                )
            )
        }
    pharmacists = {"PUMCH": "paul", "BFH": "petra", "TJH": "peng"}
    found = {}
    for code, site in codes.items():
        with world.place.database.read() as session:
            person = worlds.accounts.actor(session, pharmacists[site], NOW)
        by = worlds.By(person, NOW, worlds.Origin.PAGE, worlds.Seeded(code.encode()))
        (told,) = api.for_preparation(world.vault, by, STUDY, site, [code])
        found[code] = told.arm
    return found


@pytest.mark.req("BL-03")
def test_the_main_databases_of_the_two_worlds_are_the_same_row_for_row(pair):
    one, other = (rows(world.config.data_dir / "ecrf.db") for world in pair)
    assert len(one) > 500
    assert one == other


def test_the_worlds_do_differ_in_every_arm(pair):
    one, other = (arms(world) for world in pair)
    assert one and one.keys() == other.keys()
    assert all(one[code] != other[code] for code in one)


@pytest.mark.req("BL-03", "EX-04")
@pytest.mark.parametrize("username", BLINDED)
def test_everything_a_blinded_person_reaches_is_the_same_bytes(pair, username):
    seen = []
    for world in pair:
        client, _ = world.sign_in(world.app(), username)
        seen.append(list(worlds.crawl(client, "/", PAGES)))
    one, other = seen
    assert [page[0] for page in one] == [page[0] for page in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine == theirs, f"{mine[0]} depends on an arm"
