"""The judge of blinding: exchange the arms, and nothing a blinded role can reach may differ."""

import sqlite3

import pytest
from sqlalchemy import select, update

from randomization import api, shelf
from randomization.tables import Kit, Shelf
from tests.blinding import worlds
from tests.blinding.worlds import NOW, STUDY
from visits.tables import Participant

BLINDED = ("anna", "carl", "bo", "dora", "mona", "adam", "eve", "cora", "audrey", "alma")
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
    """Return every row of every table, in the order they lie in the file.

    What is made anew by a migration may name its parts in any order; that is no row.
    """
    with sqlite3.connect(path) as connection:
        return [line for line in connection.iterdump() if not line.startswith("CREATE ")]


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


@pytest.mark.req("BL-03", "BL-04")
def test_randomizing_answers_the_same_bytes_in_both_worlds(pair):
    answers = []
    for world in pair:
        code = worlds.ready_to_randomize(world, 90)
        client, csrf = world.sign_in(world.app(), "anna")
        page = f"/{STUDY}/participants/{code}/randomize"
        sent = {"csrf": csrf, "code": code, "password": world.password("anna")}
        done = [client.post(page, data=sent) for _ in range(2)]
        shown = client.get(page)
        assert done[0].status_code == 303 and b"is randomized" in shown.data
        answers.append(
            [(a.status_code, sorted(a.headers.items()), a.data) for a in (*done, shown)]
        )
    assert answers[0] == answers[1]


@pytest.mark.req("EX-04", "EX-07")
def test_packages_and_casebooks_are_the_same_bytes_in_both_worlds(pair):
    made = []
    for world in pair:
        client, csrf = world.sign_in(world.app(), "dora")
        sent = {"csrf": csrf, "lock": "now"}
        answer = client.post(f"/{STUDY}/exports", data=sent)
        assert answer.status_code == 303, answer.text
        listed = client.get(f"/{STUDY}/exports")
        links = [href for href in worlds.links(listed.text) if href.endswith(".zip")]
        books = [
            client.get(f"/{STUDY}/participants/PUMCH-001/casebook.pdf?lang={lang}").data
            for lang in ("en", "zh")
        ]
        assert links and all(book.startswith(b"%PDF") for book in books)
        books.append(client.get(f"/{STUDY}/sites/PUMCH/casebooks.zip").data)
        assert books[-1].startswith(b"PK")
        made.append((links, [client.get(link, buffered=True).data for link in links], books))
    assert made[0] == made[1]


@pytest.mark.req("L8")
def test_an_empty_shelf_gives_the_same_answer_whatever_the_arm(pair):
    answers = []
    for world in pair:
        codes = [worlds.ready_to_randomize(world, number) for number in (91, 92)]
        _empty_the_shelf(world, "MMF")
        client, csrf = world.sign_in(world.app(), "anna")
        told = []
        for code in codes:
            sent = {"csrf": csrf, "code": code, "password": world.password("anna")}
            answer = client.post(f"/{STUDY}/participants/{code}/randomize", data=sent)
            told.append((answer.status_code, sorted(answer.headers.items()), answer.data))
        assert {status for status, _, _ in told} == {503}
        answers.append(told)
    assert answers[0] == answers[1]


def test_a_planted_leak_is_found(pair):
    """The judge can condemn: an arm written into the main database makes the worlds differ."""
    for world in pair:
        (code, arm), *_ = sorted(arms(world).items())
        with world.place.database.write() as session:
            leak = update(Participant).where(Participant.code == code)
            session.execute(leak.values(receipt=arm.opened()))
    one, other = (rows(world.config.data_dir / "ecrf.db") for world in pair)
    assert one != other


def _empty_the_shelf(world, arm):
    """Let every kit of one arm on the shelf of PUMCH expire."""
    with world.place.vault.write() as session:
        wrapped = session.scalars(select(Shelf.key)).one()
        place = shelf.Place(STUDY, "PUMCH", world.vault.environment, worlds.TODAY)
        opened = shelf.open_(world.vault, place, wrapped, shelf.read(session, place))
        gone = [
            kit.id
            for kit, held in zip(opened.kits, opened.held, strict=True)
            if held.opened() == arm
        ]
        assert gone
        session.execute(update(Kit).where(Kit.id.in_(gone)).values(state="expired"))
