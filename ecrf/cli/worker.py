"""`ecrf worker`: do the jobs that people ask for, one after the other."""

import os
import socket
import time

import click

from ecrf.cli import duties
from ecrf.cli.installation import opened
from ecrf.kernel import chance, clock, jobs
from forms.amending import applying
from forms.laboratory import rejudging
from forms.quality import rerun

PAUSE = 2.0


@click.command()
@click.option("--once", is_flag=True, help="Do what waits, then stop.")
def worker(*, once: bool) -> None:
    """Do background jobs until stopped. Several workers may run at once.

    Every minute, besides, it sends the messages that wait, stores what the vault has given and
    the main database does not know, renews the vault's copy of what a code break needs in an
    emergency, and carries code breaks over to the main database.

    A worker that dies leaves its job to the next one, which goes on where it stopped.
    """
    holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{chance.system(4).hex()}"
    works = {
        rerun.KIND: rerun.work(chance.system), applying.KIND: applying.work(chance.system),
        **rejudging.works(chance.system),
    }  # fmt: skip
    done = 0
    with opened() as place:
        rounds = duties.Rounds(place)
        while True:
            rounds.go(clock.now())
            if jobs.run(place.database, works, holder, clock.now):
                done += 1
            elif once:
                click.echo(f"{done} job(s) done.")
                return
            else:
                time.sleep(PAUSE)
