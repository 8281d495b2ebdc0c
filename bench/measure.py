"""Measuring: the act itself and a bare commit in turns, in the same run, at the same width.

Absolute rates of two runs cannot be compared (the disk's speed drifts), so every figure is a
ratio to one INSERT and its COMMIT on the same database by the same number of writers. Flushing
to disk is on, as in a real trial. A call that fails ends the run.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import NamedTuple

from sqlalchemy import Column, Integer, MetaData, String, Table

from ecrf import migrations
from ecrf.kernel.db import Database
from tests import postgres

ROUNDS = 5
CALLS = 160
WRITERS = (1, 16)
KINDS = ("sqlite", "postgresql")
BARE = Table(
    "bare", MetaData(), Column("id", Integer, primary_key=True), Column("text", String)
)
TEXT = "x" * 1200
COLUMNS = ("bare/s", "act/s", "p50 ms", "p95 ms", "p99 ms", "ratio", "worst")


@contextmanager
def fresh(kind, which):
    """Give a migrated database of a kind (with the table of bare commits), flushing on."""
    with tempfile.TemporaryDirectory() as folder, _url(kind, folder) as url:
        migrations.upgrade(url, which)
        database = Database(url)
        BARE.create(database.engine)
        yield database, Path(folder)
        database.dispose()


@contextmanager
def _url(kind, folder):
    if kind == "sqlite":
        yield f"sqlite:///{Path(folder) / 'bench.db'}"
        return
    with postgres.running(flush=True) as server:
        yield server.create()


def compare(title, kind, act, bare):
    """Print one line per number of writers: `act(n)` against `bare(n)`, in turns.

    `ratio` is the median over the rounds of act/s by bare/s; `worst` is the lowest of them.
    Before them one round is not counted: in it questions are built that are then kept.
    """
    numbers = count()
    for writers in WRITERS:
        _run(writers, numbers, act)
        floor, done = [], []
        for _ in range(ROUNDS):
            floor.append(_run(writers, numbers, bare))
            done.append(_run(writers, numbers, act))
        ratios = [d.rate / b.rate for d, b in zip(done, floor, strict=True)]
        cuts = quantiles([ms for run in done for ms in run.each], n=100)
        figures = (
            median(run.rate for run in floor), median(run.rate for run in done),
            cuts[49], cuts[94], cuts[98], median(ratios), min(ratios),
        )  # fmt: skip
        _line(title, kind, writers, *(f"{figure:.2f}" for figure in figures))


def heading():
    _line("", "database", "writers", *COLUMNS)


def _line(title, kind, writers, *figures):
    print(f"{title:14}{kind:12}{writers!s:>8}" + "".join(f"{figure:>11}" for figure in figures))


class Run(NamedTuple):
    """Calls per second, and each call's milliseconds."""

    rate: float
    each: list[float]


def _run(writers, numbers, act):

    def timed(n):
        start = perf_counter()
        act(n)
        return (perf_counter() - start) * 1000

    given = [next(numbers) for _ in range(CALLS)]
    start = perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        done = list(pool.map(timed, given))
    return Run(CALLS / (perf_counter() - start), done)


def commit(database):
    """Return the bare act: one row and its commit."""

    def bare(_n):
        with database.write() as session:
            session.execute(BARE.insert().values(text=TEXT))

    return bare


def hot(database):
    """Return the bare act where everyone changes the same row, and commits."""
    with database.write() as session:
        session.execute(BARE.insert().values(id=1, text=""))
    change = BARE.update().where(BARE.c.id == 1)

    def bare(n):
        with database.write() as session:
            session.execute(change.values(text=f"{n}{TEXT}"))

    return bare
