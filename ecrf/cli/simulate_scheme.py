"""`ecrf randomization simulate`: what a scheme does, before anyone is enrolled.

It opens no vault and draws no list of a study: it needs the design only.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path

import click

from ecrf.cli import scheme_plot
from ecrf.cli.randomization import AS_JSON, OPTION, options_of
from randomization import api

WIDTH = 50


@click.command()
@click.option(
    "--scheme",
    default="permuted_block",
    show_default=True,
    type=click.Choice(sorted(api.SIMULATED)),
)
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
    metavar="NAME=SHARE",
    help="A stratum and its share of the participants; one for all when nothing is said.",
)
@click.option(
    "--factor",
    "factors",
    multiple=True,
    metavar="NAME=LEVEL:SHARE,…",
    help="A factor with its levels and their shares; the strata are all combinations.",
)
@click.option("--participants", type=click.IntRange(1), default=108, show_default=True)
@click.option("--slots", type=click.IntRange(0), default=0, help="Length of each list.")
@click.option("--trials", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seed", default="1", show_default=True, help="Equal seeds, equal figures.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Draw the figures into this file too, as PDF or SVG by its name.",
)
@AS_JSON
def simulate(
    scheme: str, blocks: tuple[int, ...], options: tuple[str, ...], arms: tuple[str, ...],
    strata: tuple[str, ...], factors: tuple[str, ...], participants: int, slots: int,
    trials: int, seed: str, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Print balance, correct guesses and runs of a scheme over many simulated trials.

    Imbalance: the largest difference between two arms over the whole trial. Correct guesses:
    by somebody who sees every arm afterwards and guesses the one that is behind.
    """
    if plot and plot.suffix not in scheme_plot.WRITERS:
        raise click.UsageError(f"--plot {plot}: the name ends in .pdf or .svg")
    ratio = tuple(_numbers("--arm", arms).items())
    trial = api.Trial(
        scheme, ratio, options_of(blocks, options), participants, _shares(strata, factors),
        slots,
    )  # fmt: skip
    try:
        found = api.simulate(trial, trials, seed.encode().ljust(32, b"\0"))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    if plot:
        scheme_plot.WRITERS[plot.suffix](plot, _title(trial), found)
    if as_json:
        click.echo(json.dumps({"design": asdict(trial), **_plain(found)}))
    else:
        click.echo(_table(found))


def _shares(strata: tuple[str, ...], factors: tuple[str, ...]) -> dict[str, int]:
    """Return the share of each stratum, as given or from those of its levels."""
    if strata and factors:
        raise click.UsageError("give strata or factors, not both")
    if not factors:
        return _numbers("--stratum", strata) or {"all": 1}
    named = []
    for factor in factors:
        name, _, listed = factor.partition("=")
        given = tuple(level.replace(":", "=") for level in listed.split(","))
        named.append([(f"{name}={at}", n) for at, n in _numbers("--factor", given).items()])
    return {
        "|".join(level for level, _ in levels): math.prod(share for _, share in levels)
        for levels in product(*named)
    }


def _title(trial: api.Trial) -> str:
    options = [f"{name} {', '.join(map(str, n))}" for name, n in trial.options.items()]
    ratio = ":".join(str(weight) for _, weight in trial.ratio)
    told = " · ".join([trial.scheme, *options, ratio, f"{len(trial.shares)} strata"])
    return f"{told} · {trial.participants} participants"


def _numbers(option: str, given: tuple[str, ...]) -> dict[str, int]:
    numbers = {}
    for one in given:
        name, _, number = one.rpartition("=")
        if not name or not (number.isascii() and number.isdecimal()) or int(number) < 1:
            raise click.UsageError(f"{option} {one}: write a name, = and a number from 1")
        numbers[name] = int(number)
    return numbers


def _plain(found: api.Characteristics) -> dict[str, object]:
    return {
        **found._asdict(),
        "imbalance": found.imbalance._asdict(),
        "uneven": found.uneven._asdict(),
        "guessed": found.guessed._asdict(),
    }


def _table(found: api.Characteristics) -> str:
    rows = [
        ("trials simulated", f"{found.trials}"),
        ("imbalance, mean", _figure(found.imbalance)),
        ("imbalance, 95 % of trials up to", f"{found.imbalance_95:g}"),
        ("imbalance, most", f"{found.imbalance_most:g}"),
        ("imbalance at a level, mean of largest", _figure(found.uneven)),
        ("correct guesses", _figure(found.guessed)),
    ]
    lines = [f"{name:38}{value}" for name, value in rows]
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
