"""Planted leaks: whatever carries an arm out, the judge of this suite condemns it."""

import logging
from contextlib import ExitStack

import pytest
from sqlalchemy import insert, text, update

from ecrf.kernel.outbox import Outgoing
from tests.blinding import judge, worlds
from tests.blinding.judge import Witness
from tests.blinding.test_routes import rows
from tests.blinding.test_two_worlds import files_of
from tests.blinding.worlds import CANARIES, NOW, STUDY
from visits.tables import Participant

PAGE = f"/{STUDY}/participants"
LOG = logging.getLogger("ecrf")


@pytest.fixture(scope="module")
def known(pair):
    """Each world with the arm of its first randomized participant, as a leak would have it."""
    return [Known(world, *min(_names(world).items())) for world in pair]


class Known:
    """A world with one participant's arm, and an app into which a leak can be put."""

    def __init__(self, world, code, arm):
        self.world, self.code, self.arm = world, code, arm
        self.leak = None
        self.app = world.app()
        self.app.after_request(self._leak)

    def _leak(self, response):
        if self.leak is not None:
            self.leak(self.world, self.arm, response)
        return response


def _names(world):
    return {code: arm.opened() for code, arm in worlds.arms(world).items()}


def seen(one, leak, path=PAGE):
    """Return what Dora gets of a page of the app in which the leak is planted."""
    one.leak = leak
    return [Witness(one.world, one.app, "dora").get(path)]


def judged(known, leak, path=PAGE):
    return judge.differences(*(seen(one, leak, path) for one in known))


def odd(arm):
    return arm == CANARIES[0]


def body(world, arm, response):
    response.data = response.data.replace(b"</body>", f"<!-- {arm} --></body>".encode())


def pseudonym(world, arm, response):
    response.data = response.data.replace(b"</body>", f"group {odd(arm)}</body>".encode())


def count(world, arm, response):
    response.data = response.data.replace(b"</body>", f"{3 + odd(arm)} kits</body>".encode())


def length(world, arm, response):
    response.data = response.data + b" " * odd(arm)


def header(world, arm, response):
    response.headers["X-Group"] = arm


def etag(world, arm, response):
    response.set_etag(f"{hash(arm):x}")


def cookie(world, arm, response):
    response.set_cookie("seen", "1" if odd(arm) else "2")


def file_name(world, arm, response):
    response.headers["Content-Disposition"] = f'attachment; filename="list-{arm}.csv"'


def order(world, arm, response):
    lines = response.get_data(as_text=True).splitlines(keepends=True)
    response.data = "".join(lines[:1] + sorted(lines[1:], reverse=odd(arm)))


def status(world, arm, response):
    response.status_code = 200 + odd(arm)


def error_text(world, arm, response):
    response.data = response.data.replace(b"no such page", f"no {arm}".encode())


def log_line(world, arm, response):
    LOG.info("shown %s", arm)


def statement(world, arm, response):
    if odd(arm):
        with world.place.database.read() as session:
            session.execute(text("SELECT 1"))


def vault_statement(world, arm, response):
    if odd(arm):
        with world.place.vault.read() as session:
            session.execute(text("SELECT 1"))


def lot(world, arm, response):
    batch = {True: "P-001", False: "P-002"}[odd(arm)]
    response.data = response.data.replace(b"</body>", f"batch {batch}</body>".encode())


PAGES = {
    body: PAGE, pseudonym: PAGE, count: PAGE, length: PAGE, header: PAGE, etag: PAGE,
    cookie: PAGE, file_name: f"{PAGE}.csv", order: f"{PAGE}.csv", status: PAGE,
    error_text: f"/{STUDY}/nowhere/at/all", log_line: PAGE, statement: PAGE,
    vault_statement: PAGE, lot: PAGE,
}  # fmt: skip


@pytest.mark.req("BL-03", "L11")
@pytest.mark.parametrize("leak", PAGES, ids=lambda leak: leak.__name__)
def test_a_leak_in_an_answer_is_caught(known, leak):
    path = PAGES[leak]
    judged(known, None, path)
    assert judged(known, None, path) == []
    assert judged(known, leak, path) != []


def row(world, code, arm):
    with world.place.database.write() as session:
        leak = update(Participant).where(Participant.code == code)
        session.execute(leak.values(receipt=arm))


def mail(world, code, arm):
    with world.place.database.write() as session:
        session.execute(
            insert(Outgoing).values(
                study=STUDY, site="PUMCH", right="entry:read", kind="note", text_en=arm,
                text_zh=arm, path="/", at=NOW,
            )
        )  # fmt: skip


def number_of_rows(world, code, arm):
    for _ in range(1 + odd(arm)):
        mail(world, code, "a mail")


@pytest.mark.req("BL-03")
@pytest.mark.parametrize("leak", [row, mail, number_of_rows], ids=lambda leak: leak.__name__)
def test_a_leak_into_the_main_database_is_caught(built, tmp_path, leak):
    with ExitStack() as stack:
        found = []
        for name in ("one", "other"):
            world = stack.enter_context(worlds.reopened(built / name, tmp_path / name))
            (code, arm), *_ = sorted(_names(world).items())
            leak(world, code, arm)
            found.append(rows(world.config.data_dir / "ecrf.db"))
        assert found[0] != found[1]


@pytest.mark.req("L11")
@pytest.mark.parametrize("where", ["name", "content", "size"])
def test_a_leak_into_a_file_is_caught(known, where):
    assert files_of(known[0].world) == files_of(known[1].world)
    made = []
    for world, arm in ((one.world, one.arm) for one in known):
        name = f"list-{arm}" if where == "name" else "list"
        content = {"content": arm, "size": "x" * (1 + odd(arm))}.get(where, "same")
        path = world.config.data_dir / name
        path.write_text(content)
        made.append(path)
    try:
        assert files_of(known[0].world) != files_of(known[1].world)
    finally:
        for path in made:
            path.unlink()


@pytest.mark.req("AT-12")
def test_a_name_in_an_answer_or_a_line_of_log_is_found_by_the_search(known):
    for leak in (body, log_line):
        (page,) = seen(known[0], leak)
        told = page.body + "\n".join(page.log).encode()
        assert judge.hits(told, CANARIES) == {known[0].arm}
    (page,) = seen(known[0], None)
    assert judge.hits(page.body + "\n".join(page.log).encode(), CANARIES) == set()
