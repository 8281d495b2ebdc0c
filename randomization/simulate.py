"""Operating characteristics of a scheme: balance, how well it can be guessed, runs. Pure.

A trial is simulated again and again, arms drawn as the real ones are. Participants come to a
stratum as often as its share says. Guessing is by convergence: the arm that is behind so far in
the stratum is guessed, a tie counts one half (Blackwell and Hodges 1957). With minimisation it
is the arm that the scheme prefers, guessed by somebody who knows everyone before.
"""

import hmac
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.levels import levels
from randomization.schemes import Minimise, Options, Ratio, pick, simulated

LONGEST_RUN = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """What is simulated: a scheme, so many participants, and the share of each stratum.

    Each stratum has a list of at least `slots` slots, and of as many more as come to it. Its
    name tells the levels of factors (`site=A|sex=F`), or just names it.
    """

    scheme: str
    ratio: Ratio
    options: Options
    participants: int
    shares: Mapping[str, int]
    slots: int = 0


class Figure(NamedTuple):
    """A mean over the simulated trials, and its standard error."""

    mean: float
    error: float


class Characteristics(NamedTuple):
    """What came of all trials.

    `imbalance` is the largest difference between two arms in a trial, each arm's number divided
    by its weight in the ratio; `imbalances` counts the trials by it. `uneven` is the largest
    such difference at any level of a factor. `guessed` is the share of correct guesses. `runs`
    counts runs of equal arms within strata by length; the last counts all that are longer.
    """

    trials: int
    imbalance: Figure
    imbalance_95: float
    imbalance_most: float
    imbalances: Mapping[float, int]
    uneven: Figure
    guessed: Figure
    runs: Mapping[int, int]


class Outcome(NamedTuple):
    """One simulated trial."""

    imbalance: float
    uneven: float
    guessed: float
    runs: Counter[int]


def simulate(trial: Trial, trials: int, seed: bytes) -> Characteristics:
    """Return what `trials` trials had come to; equal seeds give equal figures."""
    outcomes = list(_outcomes(trial, trials, seed))
    imbalances = sorted(outcome.imbalance for outcome in outcomes)
    runs: Counter[int] = Counter()
    for outcome in outcomes:
        runs.update(outcome.runs)
    return Characteristics(
        trials,
        _figure(imbalances),
        imbalances[math.ceil(0.95 * trials) - 1],
        imbalances[-1],
        dict(sorted(Counter(imbalances).items())),
        _figure([outcome.uneven for outcome in outcomes]),
        _figure([outcome.guessed for outcome in outcomes]),
        dict(sorted(runs.items())),
    )


def _outcomes(trial: Trial, trials: int, seed: bytes) -> Iterator[Outcome]:
    design = simulated(trial.scheme, trial.ratio, trial.options)
    names, shares = list(trial.shares), list(trial.shares.values())
    parts = {name: _parts(name) for name in names}
    for number in range(trials):
        chance = HmacDrbg(hmac.digest(seed, number.to_bytes(8, "big"), "sha256"))
        come = [
            names[pick(chance, range(len(names)), shares)] for _ in range(trial.participants)
        ]
        if isinstance(design, Minimise):
            strata, right = _minimised(design, chance, come)
        else:
            sizes = Counter(come)
            strata = {
                name: design.draw(chance, max(sizes[name], trial.slots))[: sizes[name]]
                for name in names
            }
            right = sum(_right(trial.ratio, arms) for arms in strata.values())
        yield _outcome(trial.ratio, strata, parts, right)


def _parts(stratum: str) -> tuple[str, ...]:
    """Return the levels a stratum names; the stratum itself when it names none."""
    return levels(stratum) if "=" in stratum else (stratum,)


def _minimised(
    design: Minimise, chance: HmacDrbg, come: Sequence[str]
) -> tuple[Mapping[str, Sequence[Arm]], float]:
    """Return the arms by stratum, and how many guesses of the preferred arm were right."""
    counts: dict[str, list[int]] = {}
    strata: dict[str, list[Arm]] = {}
    right = 0.0
    for stratum in come:
        mine = [counts.setdefault(level, [0] * len(design.arms)) for level in levels(stratum)]
        chosen = design.choose(chance, mine)
        best = [score == min(chosen.scores) for score in chosen.scores]
        right += best[chosen.place] / sum(best)
        strata.setdefault(stratum, []).append(design.arms[chosen.place])
        for level in mine:
            level[chosen.place] += 1
    return strata, right


def _outcome(
    ratio: Ratio, strata: Mapping[str, Sequence[Arm]], parts: Mapping[str, tuple[str, ...]],
    right: float,
) -> Outcome:  # fmt: skip
    runs: Counter[int] = Counter()
    totals: Counter[Arm] = Counter()
    at: dict[str, Counter[Arm]] = {}
    for name, arms in strata.items():
        runs.update(_runs(arms))
        totals.update(arms)
        for part in parts[name]:
            at.setdefault(part, Counter()).update(arms)
    uneven = max(_spread(ratio, counts) for counts in at.values())
    share = right / max(1, totals.total())
    return Outcome(_spread(ratio, totals), uneven, share, runs)


def _spread(ratio: Ratio, counts: Mapping[Arm, int]) -> float:
    """Return the largest difference between two arms, each by its weight in the ratio."""
    scaled = [counts[Arm(arm)] / weight for arm, weight in ratio]
    return max(scaled) - min(scaled)


def _right(ratio: Ratio, arms: Sequence[Arm]) -> float:
    """Return how many guesses were right; a tie of the arms behind counts in parts."""
    weights = {Arm(arm): weight for arm, weight in ratio}
    counts = dict.fromkeys(weights, 0)
    right = 0.0
    for arm in arms:
        behind = min(counts[a] / w for a, w in weights.items())
        guesses = [a for a, w in weights.items() if counts[a] / w == behind]
        right += (arm in guesses) / len(guesses)
        counts[arm] += 1
    return right


def _runs(arms: Sequence[Arm]) -> Iterator[int]:
    length = 0
    for place, arm in enumerate(arms):
        length += 1
        if place + 1 == len(arms) or arms[place + 1] != arm:
            yield min(length, LONGEST_RUN)
            length = 0


def _figure(values: Sequence[float]) -> Figure:
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    return Figure(mean, math.sqrt(spread / max(1, len(values) - 1) / len(values)))
