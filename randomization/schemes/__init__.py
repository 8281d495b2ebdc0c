"""Randomization schemes: a generator and a design give the arms of one stratum.

Pure, integers only. A further scheme is one more frozen class with `draw`, and one more line
in `SCHEMES`. Minimisation is no list: `randomization.minimise` decides one participant at a
time.
"""

from collections.abc import Callable, Mapping

from randomization.schemes.blocks import permuted_block
from randomization.schemes.scheme import Options, Ratio, Scheme, pick
from randomization.schemes.urns import none, simple, urn
from randomization.schemes.walks import biased_coin, big_stick, maximal

__all__ = ["SCHEMES", "Options", "Ratio", "Scheme", "pick", "scheme"]

SCHEMES: Mapping[str, Callable[[Ratio, Options], Scheme]] = {
    "biased_coin": biased_coin,
    "big_stick": big_stick,
    "maximal": maximal,
    "none": none,
    "permuted_block": permuted_block,
    "simple": simple,
    "urn": urn,
}


def scheme(name: str, ratio: Ratio, options: Options) -> Scheme:
    """Return the scheme of that name; ValueError says what is wrong with its design."""
    if name not in SCHEMES:
        raise ValueError(f"there is no scheme {name}; there is {', '.join(sorted(SCHEMES))}")
    return SCHEMES[name](ratio, options)
