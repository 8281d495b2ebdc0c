"""Many processes randomize at once, click twice, ask again, and are killed at every point.

    python -m bench.soak [--processes 8] [--each 1000] [--kill 0.02]

A killed process is started again and asks for everyone it had no answer for. At the end every
participant has one slot, slots were used in order without a gap, receipts follow one another,
every answer that was heard is the one that is heard again, and the ledger verifies. Anything
else, and any refusal, ends the run with an error.
"""

import argparse
import json
import multiprocessing
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bench import measure
from ecrf.kernel import chance
from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from randomization import api, receipts, seal
from randomization.tables import Allocation, Kit
from tests import people
from tests.randomization.conftest import FAR, STRATA, activate, packing

POINTS = (
    "before asking", "lock had, nothing written", "allocation written, act not",
    "act written, not committed", "commit begun", "committed, not answered", "answered",
)  # fmt: skip
THREADS = 4
TWICE = 5
"""One in this many is asked for twice at the same time, as by a double click."""


class Killer:
    """Kills its process at a named point, in about `rate` of all requests.

    `SELECT` and `INSERT` are counted where the driver has carried them out; the commit where it
    is about to be sent, and where it is known to be done.
    """

    def __init__(self, engine, rate, draw):
        self.rate, self.draw, self.point = rate, draw, None
        self.seen = Counter()
        event.listen(engine, "after_cursor_execute", self._statement)
        event.listen(engine, "commit", lambda _: self.at("commit begun"))
        event.listen(Session, "after_commit", lambda _: self.at("committed, not answered"))

    def arm(self):
        """Choose whether this request is to die, and where."""
        if int.from_bytes(self.draw(4), "big") < self.rate * 2**32:
            self.point = POINTS[self.draw(1)[0] % len(POINTS)]
            self.seen.clear()

    def at(self, point):
        if self.point == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _statement(self, _connection, _cursor, statement, *_):
        word = statement.split(None, 2)[:3]
        if word[0] == "SELECT":
            self.at("lock had, nothing written")
        if word[:2] == ["INSERT", "INTO"]:
            table = word[2].split("(")[0].split()[0].strip('"')
            if table == "allocation":
                self.at("allocation written, act not")
            elif table == "act":
                self.at("act written, not committed")


def request(number):
    return api.Request(
        study=people.STUDY, site="PUMCH", participant=f"PUMCH-{number:05}",
        stratum=STRATA[number % len(STRATA)], visit="BL", kits=1, usable_until=FAR,
    )  # fmt: skip


def ask(vault, number):
    by = By(people.ANNA, people.NOON + timedelta(seconds=number), Origin.PAGE, chance.system)
    return api.randomize(vault, by, request(number))


def work(url, folder, part, numbers, rate, life):
    """Randomize `numbers`; write each answer down when it is heard."""
    database = Database(url)
    vault = api.Vault(database, seal.load_keys(folder / "vault.key"), "test")
    killer = Killer(database.engine, rate, Seeded(f"{part}/{life}".encode()))
    with (folder / f"heard-{part}.jsonl").open("a") as heard:

        def one(number):
            killer.arm()
            killer.at("before asking")
            clicks = 2 if number % TWICE == 0 else 1
            with ThreadPoolExecutor(clicks) as pool:
                said = list(pool.map(lambda _: ask(vault, number), range(clicks)))
            killer.at("answered")
            for receipt in said:
                known = receipts.receipt_hash(receipt.text)
                heard.write(json.dumps([number, known, receipt.kit_numbers]) + "\n")
            heard.flush()

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, numbers))
    database.dispose()


def heard(folder, part):
    """Return {participant's number: answer}; SystemExit when one was told two things."""
    path, found = folder / f"heard-{part}.jsonl", {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            number, known, kits = json.loads(line)
        except ValueError:
            continue  # the process was killed while it wrote this line
        if found.setdefault(number, (known, tuple(kits))) != (known, tuple(kits)):
            raise SystemExit(f"participant {number} was told two things")
    return found


def run(url, folder, processes, each, rate):
    """Let every process finish, starting it again when it was killed; return the kills."""
    context = multiprocessing.get_context("forkserver")  # one that has its imports done
    context.set_forkserver_preload(["bench.soak"])
    parts = {p: range(p * each, (p + 1) * each) for p in range(processes)}
    running, kills, lives = {}, 0, Counter()

    def start(part):
        done = heard(folder, part)
        left = [number for number in parts[part] if number not in done]
        lives[part] += 1
        arguments = (url, folder, part, left, rate, lives[part])
        running[part] = context.Process(target=work, args=arguments)
        running[part].start()

    for part in parts:
        start(part)
    while running:
        for part, process in list(running.items()):
            process.join(0.2)
            if process.is_alive():
                continue
            del running[part]
            if process.exitcode == -signal.SIGKILL:
                kills += 1
                start(part)
            elif process.exitcode != 0:
                raise SystemExit(f"process {part} failed with {process.exitcode}")
    return kills


def judge(vault, folder, processes, count):
    """End the run unless everything is as it must be."""
    with vault.database.read() as session:
        rows = session.execute(
            select(
                Allocation.participant, Allocation.stratum, Allocation.position,
                Allocation.serial, Allocation.receipt_hash, Allocation.receipt,
            ).order_by(Allocation.serial)
        ).all()  # fmt: skip
        kits = session.scalars(select(Kit.number).where(Kit.state == "assigned")).all()
        ledger = ledger_verify.verify(session, ledger=api.LEDGER).flaws
    reached, given = Counter(), Counter()
    for place, row in enumerate(rows, 1):
        reached[row.stratum] += 1
        given.update(json.loads(row.receipt)["kits"])
        if (row.serial, row.position) != (place, reached[row.stratum]):
            raise SystemExit(f"{row.participant} is not on the slot that was next")
    said = {n: told for part in range(processes) for n, told in heard(folder, part).items()}
    known = {row.participant: row.receipt_hash for row in rows}
    wrong = [n for n, (told, _) in said.items() if known[request(n).participant] != told]
    again = [n for n in range(0, count, 7) if said[n][0] != _again(vault, n)]
    found = api.verify(vault, people.STUDY)
    faults = {
        "participants without an answer": count - len(said),
        "slots too many or too few": len(rows) - count,
        "kits given twice": sum(n - 1 for n in given.values()),
        "kits off the shelf and on no receipt": len(set(kits) ^ set(given)),
        "answers that are not the receipt's": len(wrong),
        "answers that changed": len(again),
        "flaws of the ledger": len(ledger),
        "flaws of the list and its receipts": len(found.flaws),
    }
    if any(faults.values()):
        raise SystemExit("\n".join(f"{n} {what}" for what, n in faults.items() if n))


def _again(vault, number):
    return receipts.receipt_hash(ask(vault, number).text)


def soak(kind, processes, each, rate):
    """Return how often a process was killed, and the seconds it all took."""
    count = processes * each
    with measure.fresh(kind, "vault") as (database, folder):
        keys = seal.make_keys(folder / "vault.key", chance.system)
        vault = api.Vault(database, keys, "test")
        activate(vault, slots=count // len(STRATA) + len(STRATA))
        stocked = By(people.ALMA, people.START, Origin.COMMAND, chance.system)
        api.register_kits(vault, stocked, packing(count))
        url = database.engine.url.render_as_string(hide_password=False)
        began = perf_counter()
        kills = run(url, folder, processes, each, rate)
        took = perf_counter() - began
        judge(vault, Path(folder), processes, count)
    return kills, took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--kill", type=float, default=0.02)
    given = parser.parse_args()
    for kind in measure.KINDS:
        kills, took = soak(kind, given.processes, given.each, given.kill)
        count = given.processes * given.each
        print(
            f"{kind}: {count} participants by {given.processes} processes in {took:.0f} s, "
            f"{kills} kills at {len(POINTS)} points: one slot each, in order, nothing lost",
            flush=True,
        )


if __name__ == "__main__":
    main()
