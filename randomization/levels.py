"""The name of a stratum, taken apart: `site=PUMCH|background=Y` is one level of two factors.

The blinded side names strata and the vault hears the name only; this is the one place that
reads it. Pure.
"""

from collections.abc import Sequence


def levels(stratum: str) -> tuple[str, ...]:
    """Return the levels of the stratum, each as `factor=level`; ValueError when it has none."""
    parts = tuple(stratum.split("|"))
    named = [part.partition("=") for part in parts]
    if not all(factor and level and "=" not in level for factor, _, level in named):
        raise ValueError(f"{stratum} does not name its levels as factor=level|factor=level")
    if len({factor for factor, _, _ in named}) != len(named):
        raise ValueError(f"{stratum} names a factor twice")
    return parts


def factors(strata: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the levels of each factor, in the order in which the strata name them.

    ValueError when the strata are not of the same factors in the same order.
    """
    every = [levels(stratum) for stratum in strata]
    if len({tuple(part.partition("=")[0] for part in parts) for parts in every}) != 1:
        raise ValueError("the strata do not have the same factors in the same order")
    return tuple(tuple(dict.fromkeys(column)) for column in zip(*every, strict=True))
