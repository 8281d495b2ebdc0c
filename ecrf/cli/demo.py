"""`ecrf demo`: a training copy of a study, built through the services a person uses."""

import shutil
import time
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ecrf.cli import serve
from ecrf.cli.demonstration import build
from ecrf.cli.installation import opened
from ecrf.kernel import clock
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config, Environment
from ecrf.web import cards

MARK = "training-copy"


@click.command()
@click.option("--study", "study_id", default="nct05974683", show_default=True)
@click.option("--participants", default=108, show_default=True, help="How many to invent.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same copy.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day it ends at.")
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--dir", "folder", default="var/demo", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--no-serve", is_flag=True, help="Build it and stop.")
def demo(
    study_id: str, participants: int, seed: int, today: datetime | None, port: int,
    folder: Path, no_serve: bool,
) -> None:  # fmt: skip
    """Build a training copy with invented participants, and serve it.

    It has an account for every role; the sign-in page shows them as cards. The folder is made
    anew each time; a folder that is not a training copy is left alone.
    """
    config = _config(folder)
    _clear(folder)
    started = time.monotonic()
    day = today.date() if today else clock.now().date()
    with Console(stderr=True).status("Building the training copy …") as status:
        _build(config, build.Wish(study_id, participants, seed, day), status.update)
    click.echo(f"Built {participants} participants in {time.monotonic() - started:.1f} s.")
    _show(config)
    if not no_serve:
        with opened(config) as place:
            serve.run(place, "127.0.0.1", port)


def _config(folder: Path) -> Config:
    return Config.from_env({
        "ECRF_DATA_DIR": str(folder), "ECRF_ENVIRONMENT": Environment.TRAINING.value,
    })  # fmt: skip


def _clear(folder: Path) -> None:
    """Make way for a new copy; never remove a folder that is something else."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise click.UsageError(
                f"{folder} is no training copy; name another folder with --dir"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("This folder is made anew by `ecrf demo`.\n", "utf-8")


def _build(config: Config, wish: build.Wish, tell: build.Tell) -> None:
    serve.build(config, Seeded(f"keys/{wish.seed}".encode()))
    with opened(config, lasting=False) as place:
        build.everything(place, wish, tell)


def _show(config: Config) -> None:
    shown = cards.read(config.data_dir)
    table = Table("sign in as", "role", "try", title="Accounts of the training copy")
    for card in shown:
        table.add_row(card.username, card.role.en, card.task.en)
    Console().print(table)
    for password in sorted({card.password for card in shown}):
        click.echo(f"The password of every account: {password}")
