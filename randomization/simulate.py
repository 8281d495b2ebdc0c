"""Operating characteristics of a scheme: balance, how well it can be guessed, runs. Pure.

A trial is simulated again and again with lists drawn as the real ones are. Participants come
to a stratum as often as its share says. Guessing is by convergence: the arm that is behind so
far in the stratum is guessed, a tie counts one half (Blackwell and Hodges 1957).
"""

import hmac
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes import Options, Ratio, pick, scheme

LONGEST_RUN = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """What is simulated: a scheme, so many participants, and the share of each stratum.

    Each stratum has a list of at least `slots` slots, and of as many more as come to it.
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
    by its weight in the ratio; `imbalances` counts the trials by it. `guessed` is the share of
    correct guesses. `runs` counts runs of equal arms within strata by length; the last counts
    all that are longer.
    """

    trials: int
    imbalance: Figure
    imbalance_95: float
    imbalance_most: float
    imbalances: Mapping[float, int]
    guessed: Figure
    runs: Mapping[int, int]


class Outcome(NamedTuple):
    """One simulated trial."""

    imbalance: float
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
        _figure([outcome.guessed for outcome in outcomes]),
        dict(sorted(runs.items())),
    )


def _outcomes(trial: Trial, trials: int, seed: bytes) -> Iterator[Outcome]:
    design = scheme(trial.scheme, trial.ratio, trial.options)
    names, shares = list(trial.shares), list(trial.shares.values())
    for number in range(trials):
        chance = HmacDrbg(hmac.digest(seed, number.to_bytes(8, "big"), "sha256"))
        sizes = Counter(
            names[pick(chance, range(len(names)), shares)] for _ in range(trial.participants)
        )
        strata = [
            design.draw(chance, max(sizes[name], trial.slots))[: sizes[name]] for name in names
        ]
        yield _outcome(trial.ratio, strata)


def _outcome(ratio: Ratio, strata: Sequence[Sequence[Arm]]) -> Outcome:
    weights = {Arm(arm): weight for arm, weight in ratio}
    totals: Counter[Arm] = Counter(arm for arms in strata for arm in arms)
    scaled = [totals[arm] / weight for arm, weight in weights.items()]
    right = sum(_right(weights, arms) for arms in strata)
    runs: Counter[int] = Counter()
    for arms in strata:
        runs.update(_runs(arms))
    return Outcome(max(scaled) - min(scaled), right / max(1, sum(map(len, strata))), runs)


def _right(weights: Mapping[Arm, int], arms: Sequence[Arm]) -> float:
    """Return how many guesses were right; a tie of the arms behind counts in parts."""
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
