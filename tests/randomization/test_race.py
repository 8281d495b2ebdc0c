"""A hundred randomizations at once: every slot once, in order, and no one turned away.

Sixteen ask at a time, six times over: what they fight for is the next slot, and how many slots
were given before makes no difference to it. `make soak` does it by the thousand.
"""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from ecrf.kernel import chance
from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from randomization import api
from randomization.tables import Allocation, Kit
from tests import processes
from tests.people import ALMA, ANNA, NOON, STUDY
from tests.randomization.conftest import STRATA, activate, packing, request_, who

pytestmark = pytest.mark.race
COUNT, AT_ONCE = 100, 16


@pytest.fixture
def big(empty):
    activate(empty, slots=60)
    api.register_kits(empty, who(ALMA), packing(80))
    return empty


def ask(vault, n):
    by = By(ANNA, NOON + timedelta(seconds=n), Origin.PAGE, chance.system)
    return api.randomize(vault, by, request_(f"PUMCH-{n:03d}", STRATA[n % 2]))


def judge(vault, given):
    """Distinct, consecutive, each kit once; asked again, everyone hears the same."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Allocation.stratum, Allocation.position, Allocation.serial)
            .order_by(Allocation.serial)
        ).all()  # fmt: skip
        kits = session.scalars(select(Kit.number).where(Kit.state == "assigned")).all()
        assert ledger_verify.verify(session, ledger=api.LEDGER).flaws == ()
    assert [row.serial for row in rows] == list(range(1, COUNT + 1))
    for stratum in STRATA[:2]:
        places = [row.position for row in rows if row.stratum == stratum]
        assert places == list(range(1, COUNT // 2 + 1))
    assert len({receipt.random_number for receipt in given}) == COUNT
    assert Counter(n for receipt in given for n in receipt.kit_numbers) == Counter(kits)
    assert len(set(kits)) == COUNT
    assert [ask(vault, n) for n in range(COUNT)] == given
    found = api.verify(vault, STUDY)
    assert (found.allocations, found.flaws) == (COUNT, ())


def test_a_hundred_participants_in_sixteen_threads(big):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        given = list(pool.map(lambda n: ask(big, n), range(COUNT)))
    judge(big, given)


def test_everyone_asks_twice_at_the_same_time_and_hears_one_answer(big):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        twice = list(pool.map(lambda n: ask(big, n // 2), range(2 * COUNT)))
    assert twice[0::2] == twice[1::2]
    judge(big, twice[0::2])


def _process(url, key_file, numbers):
    from randomization import seal

    database = Database(url)
    vault = api.Vault(database, seal.load_keys(key_file), "test")
    try:
        return [(n, ask(vault, n)) for n in numbers]
    finally:
        database.dispose()


def test_a_hundred_participants_in_four_processes(big, tmp_path):
    url = big.database.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(4, mp_context=processes.context()) as pool:
        parts = [
            pool.submit(_process, url, tmp_path / "vault.key", range(start, COUNT, 4))
            for start in range(4)
        ]
        given = dict(pair for part in parts for pair in part.result())
    judge(big, [given[n] for n in range(COUNT)])


def _die(url, key_file, n, step):
    """Randomize one participant in a process that is killed at the given write."""
    from sqlalchemy import event

    from randomization import seal

    database = Database(url)
    vault = api.Vault(database, seal.load_keys(key_file), "test")
    writes = []

    @event.listens_for(database.engine, "after_cursor_execute")
    def count(_connection, _cursor, statement, *_):
        writes.append(statement)
        if len([s for s in writes if not s.startswith("BEGIN")]) == step:
            os._exit(9)

    ask(vault, n)
    os._exit(0)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_process_killed_at_any_statement_leaves_no_gap(big, tmp_path, step):
    url = big.database.engine.url.render_as_string(hide_password=False)
    ask(big, 0)
    killed = processes.context().Process(
        target=_die, args=(url, tmp_path / "vault.key", 2, step)
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == 9
    ask(big, 4)
    ask(big, 2)
    with big.database.read() as session:
        rows = session.execute(
            select(Allocation.participant, Allocation.position).order_by(Allocation.serial)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("PUMCH-000", 1), ("PUMCH-004", 2), ("PUMCH-002", 3),
    ]  # fmt: skip
    assert api.verify(big, STUDY).flaws == ()


def test_two_who_change_their_request_at_once_leave_one_allocation(big):
    def either(n):
        by = By(ANNA, NOON, Origin.PAGE, chance.system)
        try:
            return api.randomize(big, by, request_("PUMCH-001", STRATA[n % 2]))
        except Refused as no:
            return no.status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(either, range(32)))
    receipts = {one for one in said if isinstance(one, api.Receipt)}
    assert len(receipts) == 1
    assert said.count(409) == 16
