"""Can a treatment be guessed? A logistic regression, tried on what it has not seen. Pure.

The regression is fitted by Newton's method with a penalty on large weights (L2). Folds are by
place, so the same data give the same answer. The area under the ROC curve (AUC) is 0.5 when
nothing can be guessed; its interval is that of Hanley and McNeil (1982).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from randomization.proving.figures import ranked

Row = Sequence[float]
FOLDS = 5
STEPS = 8
PENALTY = 1.0
FAR = 30.0


class Guess(NamedTuple):
    """The AUC of guesses about what was not learned from, with its interval."""

    auc: float
    low: float
    high: float
    size: int

    @property
    def blind(self) -> bool:
        """Say whether the interval contains what pure chance gives."""
        return self.low <= 0.5 <= self.high


def guess(rows: Sequence[Row], truth: Sequence[bool], z: float = 2.576) -> Guess:
    """Learn from four fifths, guess the fifth, for every fifth; `z` gives a 99 % interval."""
    scores: list[float] = [0.0] * len(rows)
    for fold in range(FOLDS):
        learn = [n for n in range(len(rows)) if n % FOLDS != fold]
        scale = _scale([rows[n] for n in learn])
        weights = fit([_scaled(rows[n], scale) for n in learn], [truth[n] for n in learn])
        centre = _margins(weights, rows, learn, scale)
        for n in range(fold, len(rows), FOLDS):
            scores[n] = _margin(weights, _scaled(rows[n], scale)) - centre
    return area(scores, truth, z)


def _margins(
    weights: Sequence[float], rows: Sequence[Row], learn: Sequence[int], scale: "Scale"
) -> float:
    """Return the mean margin where it was learned, so that folds can be put together."""
    return sum(_margin(weights, _scaled(rows[n], scale)) for n in learn) / len(learn)


def area(scores: Sequence[float], truth: Sequence[bool], z: float = 2.576) -> Guess:
    """Return the AUC of the scores with its interval."""
    yes = sum(truth)
    no = len(truth) - yes
    if not yes or not no:
        return Guess(0.5, 0.0, 1.0, len(truth))
    ranks, _ = ranked(scores)
    above = sum(rank for rank, right in zip(ranks, truth, strict=True) if right)
    auc = (above - yes * (yes + 1) / 2) / (yes * no)
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (yes - 1) * (one - auc * auc) + (no - 1) * (two - auc * auc)
    half = z * math.sqrt(max(spread, 0.0) / (yes * no))
    return Guess(auc, max(0.0, auc - half), min(1.0, auc + half), len(truth))


def fit(rows: Sequence[Row], truth: Sequence[bool]) -> list[float]:
    """Return the weights of a penalized logistic regression, the constant first."""
    width = len(rows[0]) + 1
    weights = [0.0] * width
    for _ in range(STEPS):
        slope = [-PENALTY * w for w in weights]
        curve = [[PENALTY if i == j else 0.0 for j in range(width)] for i in range(width)]
        slope[0], curve[0][0] = 0.0, 1e-9
        for row, right in zip(rows, truth, strict=True):
            _add(slope, curve, (1.0, *row), right, _chance(_margin(weights, row)))
        step = solve(curve, slope)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def _add(
    slope: list[float], curve: list[list[float]], row: Row, right: bool, chance: float
) -> None:
    """Add what one row says to the slope and the curve (its lower half)."""
    miss, weight = right - chance, chance * (1 - chance)
    for i, x in enumerate(row):
        slope[i] += miss * x
        scaled, line = weight * x, curve[i]
        for j in range(i + 1):
            line[j] += scaled * row[j]


def solve(curve: list[list[float]], slope: Sequence[float]) -> list[float]:
    """Solve a symmetric positive system, given its lower half, by Cholesky's method."""
    size = len(slope)
    root = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            done = sum(a * b for a, b in zip(root[i][:j], root[j][:j], strict=True))
            left = curve[i][j] - done
            root[i][j] = math.sqrt(max(left, 1e-12)) if i == j else left / root[j][j]
    half = [0.0] * size
    for i in range(size):
        half[i] = (slope[i] - sum(root[i][k] * half[k] for k in range(i))) / root[i][i]
    found = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(root[k][i] * found[k] for k in range(i + 1, size))
        found[i] = (half[i] - rest) / root[i][i]
    return found


Scale = Sequence[tuple[float, float]]


def _scale(rows: Sequence[Row]) -> Scale:
    """Return the mean and the inverse spread of each feature; 0 where it never differs."""
    found = []
    for values in zip(*rows, strict=True):
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
        found.append((mean, 1 / spread if spread > 1e-12 else 0.0))
    return found


def _scaled(row: Row, scale: Scale) -> list[float]:
    return [(value - mean) * by for value, (mean, by) in zip(row, scale, strict=True)]


def _margin(weights: Sequence[float], row: Row) -> float:
    return weights[0] + sum(w * x for w, x in zip(weights[1:], row, strict=True))


def _chance(margin: float) -> float:
    return 1 / (1 + math.exp(-max(-FAR, min(FAR, margin))))
