"""`ecrf randomization simulate`: what a scheme does, before anyone is enrolled.

It opens no vault and draws no list of a study: it needs the design only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

import click

from ecrf.cli.randomization import AS_JSON, OPTION, SCHEME, options_of
from randomization import api

WIDTH = 50


@click.command()
@SCHEME
@click.option("--block", "blocks", type=int, multiple=True, help="A block size.")
@OPTION
@click.option(
    "--arm",
    "arms",
    multiple=True,
    default=("A=1", "B=1"),
    show_default=True,
    metavar="ARM=WEIGHT",
    help="An arm and its weight in the ratio.",
)
@click.option(
    "--stratum",
    "strata",
    multiple=True,
    default=("all=1",),
    show_default=True,
    metavar="NAME=SHARE",
    help="A stratum (a site, or site and factor) and its share of the participants.",
)
@click.option("--participants", type=click.IntRange(1), default=108, show_default=True)
@click.option("--slots", type=click.IntRange(0), default=0, help="Length of each list.")
@click.option("--trials", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seed", default="1", show_default=True, help="Equal seeds, equal figures.")
@AS_JSON
def simulate(
    scheme: str, blocks: tuple[int, ...], options: tuple[str, ...], arms: tuple[str, ...],
    strata: tuple[str, ...], participants: int, slots: int, trials: int, seed: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Print balance, correct guesses and runs of a scheme over many simulated trials.

    Imbalance: the largest difference between two arms over the whole trial. Correct guesses:
    by somebody who sees every arm afterwards and guesses the one that is behind.
    """
    ratio = tuple(_numbers("--arm", arms).items())
    trial = api.Trial(
        scheme, ratio, options_of(blocks, options), participants,
        _numbers("--stratum", strata), slots,
    )  # fmt: skip
    try:
        found = api.simulate(trial, trials, seed.encode().ljust(32, b"\0"))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    if as_json:
        click.echo(json.dumps({"design": asdict(trial), **_plain(found)}))
    else:
        click.echo(_table(found))


def _numbers(option: str, given: tuple[str, ...]) -> dict[str, int]:
    numbers = {}
    for one in given:
        name, _, number = one.partition("=")
        if not name or not (number.isascii() and number.isdecimal()) or int(number) < 1:
            raise click.UsageError(f"{option} {one}: write a name, = and a number from 1")
        numbers[name] = int(number)
    return numbers


def _plain(found: api.Characteristics) -> dict[str, object]:
    return {
        **found._asdict(),
        "imbalance": found.imbalance._asdict(),
        "guessed": found.guessed._asdict(),
    }


def _table(found: api.Characteristics) -> str:
    rows = [
        ("trials simulated", f"{found.trials}"),
        ("imbalance, mean", _figure(found.imbalance)),
        ("imbalance, 95 % of trials up to", f"{found.imbalance_95:g}"),
        ("imbalance, most", f"{found.imbalance_most:g}"),
        ("correct guesses", _figure(found.guessed)),
    ]
    lines = [f"{name:34}{value}" for name, value in rows]
    lines += ["", "trials by imbalance", *_bars(found.imbalances)]
    return "\n".join([*lines, "", "runs of equal arms by length", *_bars(found.runs)])


def _figure(figure: api.Figure) -> str:
    return f"{figure.mean:.4f} (standard error {figure.error:.4f})"


def _bars(counts: Mapping[float, int] | Mapping[int, int]) -> list[str]:
    most = max(counts.values(), default=1)
    return [
        f"{value:>8g} {'█' * round(WIDTH * count / most):{WIDTH}} {count}"
        for value, count in counts.items()
    ]
