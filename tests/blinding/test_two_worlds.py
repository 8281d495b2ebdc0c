"""The judge of blinding: exchange the arms, and nothing a blinded role can reach may differ."""

import re
import sqlite3
from unittest import mock

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from ecrf.kernel import jobs
from ecrf.kernel.chance import Seeded
from ecrf.kernel.outbox import Outgoing
from forms.laboratory import rejudging
from forms.quality import rerun
from randomization import shelf
from randomization.tables import Kit, Shelf
from tests.blinding import judge, worlds
from tests.blinding.judge import Witness
from tests.blinding.test_routes import rows
from tests.blinding.worlds import CANARIES, NOW, STUDY, arms

PAGES = 60


@pytest.mark.req("BL-03")
def test_the_main_databases_of_the_two_worlds_are_the_same_row_for_row(pair):
    one, other = (rows(world.config.data_dir / "ecrf.db") for world in pair)
    assert len(one) > 500
    assert one == other


def test_the_worlds_do_differ_in_every_arm(pair):
    one, other = (arms(world) for world in pair)
    assert one and one.keys() == other.keys()
    assert all(one[code] != other[code] for code in one)


@pytest.mark.req("BL-03", "L10")
def test_a_backup_of_the_main_side_is_the_same_bytes(pair, tmp_path):
    """The copy a backup takes holds the rows and nothing that was there before."""
    made = []
    for n, world in enumerate(pair):
        copy = tmp_path / f"{n}.db"
        with sqlite3.connect(world.config.data_dir / "ecrf.db") as source:
            source.execute("VACUUM INTO ?", (str(copy),))
        made.append(copy.read_bytes())
    assert len(made[0]) > 100_000
    assert len(made[0]) == len(made[1])
    assert _pages(made[0]) == _pages(made[1])


def _pages(content):
    """Return the pages of a database file after those that hold the schema's own words."""
    size = int.from_bytes(content[16:18], "big")
    return sorted(
        content[at : at + size]
        for at in range(0, len(content), size)
        if b"CREATE " not in content[at : at + size]
    )


@pytest.mark.req("L11", "AT-12")
def test_the_files_of_the_main_side_have_the_same_names_sizes_and_bytes(pair):
    """Checkpoints, packages, cards: all but the vault's folder and the databases."""
    one, other = (files_of(world) for world in pair)
    assert len(one) >= 3
    assert one == other


def files_of(world):
    """Return every file of the main side by its name, but for the databases."""
    folder = world.config.data_dir
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "vault" not in path.parts and "ecrf.db" not in path.name
    }


@pytest.mark.req("L17", "BL-11")
def test_the_mails_that_wait_are_the_same_and_name_no_treatment(pair):
    told = []
    for world in pair:
        with world.place.database.read() as session:
            mails = session.scalars(select(Outgoing).order_by(Outgoing.id)).all()
            told.append([(m.right, m.site, m.text_en, m.text_zh, m.path) for m in mails])
    assert told[0]
    assert told[0] == told[1]
    assert judge.hits(str(told).encode(), CANARIES) == set()


@pytest.mark.req("BL-03", "EX-04", "L11")
@pytest.mark.parametrize("username", ["anna", "mona"])
def test_all_pages_that_lead_to_one_another_are_the_same_bytes(pair, username):
    """The links hold what no list of values does: filters, orders, pages of long lists."""
    one, other = (_crawled(world, username) for world in pair)
    assert len(one) == PAGES
    assert judge.differences(one, other) == []


def _crawled(world, username):
    judge.forget()
    return list(judge.crawl(Witness(world, world.app(), username), f"/{STUDY}/", PAGES))


@pytest.mark.req("BL-03", "BL-04", "L2", "L4")
def test_randomizing_answers_the_same_bytes_in_both_worlds(pair):
    answers = []
    for world in pair:
        judge.forget()
        code = worlds.ready_to_randomize(world, 90)
        witness = Witness(world, world.app(), "anna")
        page = f"/{STUDY}/participants/{code}/randomize"
        sent = {"code": code, "password": world.password("anna")}
        done = [witness.post(page, sent) for _ in range(2)]
        shown = witness.get(page)
        assert done[0].status == 303 and b"is randomized" in shown.body
        answers.append([*done, shown])
    assert judge.differences(*answers) == []


@pytest.mark.req("EX-04", "EX-07", "L18")
def test_packages_and_casebooks_are_the_same_bytes_in_both_worlds(pair):
    made = []
    for world in pair:
        judge.forget()
        witness = Witness(world, world.app(), "dora")
        answer = witness.post(f"/{STUDY}/exports", {"lock": "now"})
        assert answer.status == 303, answer.body
        listed = witness.get(f"/{STUDY}/exports")
        links = [href for href in judge.links(listed.body.decode()) if href.endswith(".zip")]
        books = [
            witness.get(f"/{STUDY}/participants/PUMCH-001/casebook.pdf?lang={lang}")
            for lang in ("en", "zh")
        ]
        assert links and all(book.body.startswith(b"%PDF") for book in books)
        made.append([listed, *map(witness.get, links), *books])
    assert judge.differences(*made) == []
    packages = [page for page in made[0] if ".zip" in page.what]
    assert packages and all(page.body.startswith(b"PK") for page in packages)
    for page in packages:
        names = {name for part in judge.plain(page.body) for name in [part] if len(part) < 80}
        assert not any(word.encode() in name for word in CANARIES for name in names)


@pytest.mark.req("BL-03")
def test_jobs_do_the_same_in_both_worlds(pair):
    done = []
    for world in pair:
        judge.forget()
        witness = Witness(world, world.app(), "dora")
        asked = witness.post(f"/{STUDY}/quality/rerun", {})
        draw = Seeded(b"worker")
        works = {rerun.KIND: rerun.work(draw), **rejudging.works(draw)}
        with judge.heard_lines() as lines:
            ran = 0
            while jobs.run(world.place.database, works, "worker", lambda: NOW):
                ran += 1
        assert ran
        done.append([asked, ran, [judge.neutral(line, world) for line in lines]])
    assert done[0] == done[1]
    assert rows(pair[0].config.data_dir / "ecrf.db") == rows(
        pair[1].config.data_dir / "ecrf.db"
    )


@pytest.mark.req("L8")
def test_an_empty_shelf_and_a_silent_vault_give_one_answer_whatever_the_arm(pair):
    answers = []
    for world in pair:
        judge.forget()
        codes = [worlds.ready_to_randomize(world, number) for number in (91, 92)]
        witness = Witness(world, world.app(), "anna")
        told = [_randomize_in_silence(world, codes[0])]
        _empty_the_shelf(world, CANARIES[0])
        told += [_randomize(witness, code) for code in codes]
        assert {page.status for page in told} == {503}
        answers.append(told)
    assert judge.differences(*answers) == []
    silent, empty, _ = answers[0]
    assert _without_reference(silent.body) == _without_reference(empty.body)
    assert silent.headers == empty.headers


def _randomize(witness, code):
    sent = {"code": code, "password": witness.world.password("anna")}
    return witness.post(f"/{STUDY}/participants/{code}/randomize", sent)


def _randomize_in_silence(world, code):
    """Ask while the vault's database does not answer."""
    gone = OperationalError("SELECT", {}, Exception("no connection"))
    witness = Witness(world, world.app(), "anna")
    with mock.patch("randomization.allocate.under_lock.desk", side_effect=gone):
        return _randomize(witness, code)


def _without_reference(body):
    """Return the page without the eight signs of its reference and the token of its form."""
    return re.sub(rb"[0-9a-f]{8}\b|value=\"[^\"]{20,}\"", b"", body)


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
