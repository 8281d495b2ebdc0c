"""Randomization schemes: a generator and a design give the arms of one stratum.

Pure, integers only. A further scheme is one more frozen class with `draw`, and one more line
in `SCHEMES`. Minimisation makes slots without arms: `randomization.minimise` decides each when
a participant comes to it.
"""

from collections.abc import Callable, Mapping

from randomization.schemes.blocks import permuted_block
from randomization.schemes.minimise import UNDECIDED, Minimise, minimise, taves
from randomization.schemes.scheme import Options, Ratio, Scheme, pick
from randomization.schemes.urns import none, simple, urn
from randomization.schemes.walks import biased_coin, big_stick, maximal

__all__ = [
    "SCHEMES", "SIMULATED", "UNDECIDED", "Minimise", "Options", "Ratio", "Scheme", "pick",
    "scheme", "simulated",
]  # fmt: skip

Make = Callable[[Ratio, Options], Scheme]

SCHEMES: Mapping[str, Make] = {
    "biased_coin": biased_coin,
    "big_stick": big_stick,
    "maximal": maximal,
    "minimise": minimise,
    "none": none,
    "permuted_block": permuted_block,
    "simple": simple,
    "urn": urn,
}
SIMULATED: Mapping[str, Make] = {**SCHEMES, "taves": taves}
"""The schemes of a simulation: those of a list, and what no list may be made with."""


def scheme(name: str, ratio: Ratio, options: Options) -> Scheme:
    """Return the scheme of that name; ValueError says what is wrong with its design."""
    if name in SIMULATED and name not in SCHEMES:
        raise ValueError(f"{name} is for simulation only: nobody may foresee an allocation")
    return _made(SCHEMES, name, ratio, options)


def simulated(name: str, ratio: Ratio, options: Options) -> Scheme:
    """Return the scheme of that name for a simulation."""
    return _made(SIMULATED, name, ratio, options)


def _made(known: Mapping[str, Make], name: str, ratio: Ratio, options: Options) -> Scheme:
    if name not in known:
        raise ValueError(f"there is no scheme {name}; there is {', '.join(sorted(known))}")
    return known[name](ratio, options)
