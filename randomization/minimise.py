"""The draws of a minimised list: which arm, from what, and the same once more. Pure.

A draw follows from the specification, the seed, and the strata and arms of those before. Each
has a stream of its own, made from its number, so that any draw can be made again at any time
(EMA guideline on computerised systems, A5.2.4).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecrf.kernel.chain import canonical
from randomization import design, levels
from randomization.arm import Arm
from randomization.design import Spec
from randomization.schemes import Minimise, scheme

ENGINE = "ecrf-minimise-1"
NAME = "minimise"

Counts = Mapping[str, tuple[int, ...]]
"""How many stand at each level (`factor=level`), by arm in the order of the ratio."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One decision with everything it was made from; only its number and stratum print.

    `counts` are those before. `point` is the number drawn, below the sum of the odds.
    """

    number: int
    stratum: str
    counts: Counts = field(repr=False)
    scores: tuple[int, ...] = field(repr=False)
    odds: tuple[int, ...] = field(repr=False)
    point: int = field(repr=False)
    arm: Arm

    def text(self) -> str:
        """Return all of it as text. Called where it is sealed or disclosed."""
        return canonical({
            "number": self.number, "stratum": self.stratum, "counts": dict(self.counts),
            "scores": self.scores, "odds": self.odds, "point": self.point,
            "arm": self.arm.opened(),
        })  # fmt: skip

    def after(self, spec: Spec) -> Counts:
        """Return the counts with this participant."""
        place = [arm for arm, _ in spec.ratio].index(self.arm.opened())
        mine = levels.levels(self.stratum)
        return {
            level: tuple(n + (level in mine and at == place) for at, n in enumerate(arms))
            for level, arms in self.counts.items()
        }


def read(text: str) -> Draw:
    """Return the draw whose text this is."""
    said: dict[str, Any] = json.loads(text)
    return Draw(
        said["number"], said["stratum"],
        {level: tuple(arms) for level, arms in said["counts"].items()},
        tuple(said["scores"]), tuple(said["odds"]), said["point"], Arm(said["arm"]),
    )  # fmt: skip


def none_yet(spec: Spec) -> Counts:
    """Return the counts before anyone has come."""
    nobody = (0,) * len(spec.ratio)
    return {level: nobody for factor in levels.factors(spec.strata) for level in factor}


def draw(spec: Spec, seed: bytes, number: int, counts: Counts, stratum: str) -> Draw:
    """Return the draw of that number, for a participant of the stratum after those counted."""
    made = scheme(spec.scheme, spec.ratio, spec.options)
    if not isinstance(made, Minimise):
        raise TypeError("a list that is not minimised has its arms already")
    chance = design.stream(spec, seed, str(number), "draw")
    chosen = made.choose(chance, [counts[level] for level in levels.levels(stratum)])
    arm = made.arms[chosen.place]
    return Draw(number, stratum, counts, chosen.scores, chosen.odds, chosen.point, arm)


def again(spec: Spec, seed: bytes, strata: Iterable[str]) -> Iterator[Draw]:
    """Make every draw again, for participants of these strata in their order."""
    counts = none_yet(spec)
    for number, stratum in enumerate(strata, start=1):
        made = draw(spec, seed, number, counts, stratum)
        yield made
        counts = made.after(spec)
