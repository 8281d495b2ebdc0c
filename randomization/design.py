"""The specification of a list, and the list that follows from it and a seed. Pure.

It stays in the vault: block sizes are never told to anyone who enrols (SPIRIT 2013, 16a).
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ecrf.kernel.chain import canonical
from randomization.arm import Arm
from randomization.commit import Leaf
from randomization.drbg import HmacDrbg
from randomization.levels import factors
from randomization.schemes import Minimise, Ratio, scheme
from randomization.schemes.scheme import total

TAG = "ecrf-list-1"
BEACON_TAG = b"ecrf-beacon-1"
SEED_BYTES = 32
IMPORTED = "imported"
"""In place of a scheme: the list was made elsewhere and has no seed."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a list is made from, besides the seed.

    `options` are the scheme's own, such as block sizes. `strata` are the names of the strata in
    the order of the list; each has at least `slots` slots. Minimisation takes its factors and
    their levels from these names. A list of one environment never serves another: the
    environment goes into every stream. `software` is what a list is made with by ceremony, ""
    for one made the short way. `salt` is drawn when a list is made: without it, whoever knows
    the published hash could try block sizes until one fits.
    """

    study: str
    version: int
    environment: str
    scheme: str
    ratio: Ratio
    options: Mapping[str, tuple[int, ...]]
    strata: tuple[str, ...]
    slots: int
    software: str = ""
    salt: str = ""

    def __post_init__(self) -> None:
        made = None
        if self.imported:
            total(self.ratio)
        else:
            made = scheme(self.scheme, self.ratio, self.options)
        if not self.strata or len(set(self.strata)) != len(self.strata):
            raise ValueError("the strata are named once each, and at least one")
        if self.version < 1 or self.slots < 1:
            raise ValueError("the version and the number of slots are at least 1")
        if isinstance(made, Minimise):
            made.weighing(len(factors(self.strata)))

    def canonical(self) -> str:
        parts = asdict(self)
        for name in ("software", "salt"):
            if not parts[name]:
                del parts[name]
        return canonical(parts)

    def salted(self, salt: bytes) -> "Spec":
        return replace(self, salt=salt.hex())

    @property
    def imported(self) -> bool:
        return self.scheme == IMPORTED

    @property
    def asked(self) -> int:
        """How many slots were asked for, which may be told. The last whole blocks may make a
        few more, and how many would hint at the sizes of blocks.
        """
        return self.slots * len(self.strata)

    @property
    def arms(self) -> frozenset[Arm]:
        return frozenset(Arm(arm) for arm, _ in self.ratio)


def from_canonical(text: str) -> Spec:
    """Return the specification whose canonical text this is."""
    parts: dict[str, Any] = json.loads(text)
    parts["ratio"] = tuple((arm, weight) for arm, weight in parts["ratio"])
    parts["options"] = {name: tuple(values) for name, values in parts["options"].items()}
    parts["strata"] = tuple(parts["strata"])
    return Spec(**parts)


def mixed(seed: bytes, beacon: str) -> bytes:
    """Return the seed with a beacon mixed in (HKDF, RFC 5869); without one, the seed itself.

    The beacon is the salt: who drew the seed could not know what it would become.
    """
    if not beacon:
        return seed
    drawn = hmac.digest(beacon.encode(), seed, "sha256")
    return hmac.digest(drawn, BEACON_TAG + b"\x01", "sha256")


def leaves(spec: Spec, seed: bytes) -> tuple[Leaf, ...]:
    """Return every slot of the list: strata in the order named, positions from 1."""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    return tuple(leaf for stratum in spec.strata for leaf in _stratum(spec, seed, stratum))


def _stratum(spec: Spec, seed: bytes, stratum: str) -> Iterator[Leaf]:
    """Arms come from one stream, ids and salts from another: neither tells of the other."""
    arms = scheme(spec.scheme, spec.ratio, spec.options).draw(
        stream(spec, seed, stratum, "arms"), spec.slots
    )
    marks = stream(spec, seed, stratum, "slots")
    for position, arm in enumerate(arms, start=1):
        mark = marks.generate(32)
        yield Leaf(slot_id(mark[:16]), stratum, position, arm, mark[16:])


def slot_id(mark: bytes) -> str:
    """Return 16 random bytes as a UUID (RFC 9562, version 4)."""
    digits, variant = mark.hex(), "89ab"[mark[8] >> 4 & 3]
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
    )


def stream(spec: Spec, seed: bytes, stratum: str, use: str) -> HmacDrbg:
    """Return the generator for one use: of a stratum, or of a draw by its number."""
    parts = canonical([TAG, spec.environment, spec.study, spec.version, stratum, use])
    return HmacDrbg(hmac.digest(seed, parts.encode(), "sha256"))
