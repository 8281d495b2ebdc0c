"""Check a revealed randomization: the list from its seed, every receipt, kit, order and gap.

It needs Python 3.9 or newer and nothing else; with `cryptography` it also checks signatures.

    python verify_bundle.py BUNDLE.json [--publication FILE]

FILE is what was made known before the first participant, as filed outside of the system;
without it the bundle is checked against itself only. Exit status: 0 all good, 1 something is
wrong (named), 2 this is no bundle.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # pragma: no cover
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

FORMAT = "ecrf randomization bundle 1"
MADE_KNOWN = {
    "study": "study", "list": "list", "environment": "environment", "merkle root": "root",
    "seed commitment": "seed_commitment", "specification hash": "spec_hash",
    "beacon": "beacon", "beacon value": "beacon_value", "file hash": "file", "vault key": "key",
}  # fmt: skip
Json = dict[str, Any]


class Result(NamedTuple):
    """Everything that is wrong, how much was looked at, and whether signatures were."""

    faults: tuple[str, ...]
    counts: dict[str, int]
    signed: bool


def load(path: str) -> Json:
    """Return the bundle in a file; ValueError when it is none."""
    bundle = json.loads(Path(path).read_bytes())
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    return bundle


def verify(bundle: Json, publication: str = "") -> Result:
    """Check a bundle, against what was made known beforehand when that is given."""
    faults, slots, counts = list[str](), list[Json](), {"slots": 0, "receipts": 0, "kits": 0}
    for step in (_whole, _list, _receipts, _draws, _kits):
        try:
            faults += step(bundle, slots, counts)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            faults.append(f"a part of the bundle cannot be read: {error!r}")
    filed = dict(line.split(": ", 1) for line in publication.splitlines() if ": " in line)
    for name, key in MADE_KNOWN.items() if publication else ():
        if filed.get(name, "") != str(bundle.get("public", {}).get(key, "")):
            faults.append(f"the {name} is not the one made known beforehand")
    return Result(tuple(faults), counts, Ed25519PublicKey is not None)


def _whole(bundle: Json, _slots: list[Json], _counts: dict[str, int]) -> Iterator[str]:
    rest = {name: part for name, part in bundle.items() if name != "signature"}
    if not _signed(bundle, canonical(rest), bundle["signature"]):
        yield "the bundle is not as it was signed"


def _list(bundle: Json, slots: list[Json], counts: dict[str, int]) -> Iterator[str]:
    public, spec = bundle["public"], json.loads(bundle["spec"])
    seed, elsewhere = bytes.fromhex(bundle["seed"]), spec["scheme"] == "imported"
    if _sha(bundle["spec"].encode()) != public["spec_hash"]:
        yield "the specification is not the published one"
    if public["seed_commitment"] != ("none" if elsewhere else _sha(b"seed-commit" + seed)):
        yield "the seed is not the one committed to"
    named = [("study", "study"), ("list", "version"), ("environment", "environment")]
    if any(public[one] != spec[other] for one, other in named):
        yield "the specification is of another list"
    slots += bundle["leaves"] if elsewhere else list_of(spec, seed, public.get("beacon_value"))
    counts["slots"] = len(slots)
    if _root([canonical(slot) for slot in slots]) != public["root"]:
        yield "the list is not the one whose root was published"


def _receipts(bundle: Json, slots: list[Json], counts: dict[str, int]) -> Iterator[str]:
    """Each is signed, names the one before, and has the slot that was next in its stratum."""
    public, known = bundle["public"], {slot["slot_id"]: slot for slot in slots}
    previous, last, met, reached = "0" * 64, "", set[str](), list[str]()
    for receipt in bundle["receipts"]:
        text, said = receipt["text"], json.loads(receipt["text"])
        who, stratum, slot = said["participant"], said["stratum"], known.get(said["slot"], {})
        if not _signed(bundle, text, receipt["signature"]):
            yield f"the receipt of {who} is not as it was signed"
        if said["previous"] != previous or said["at"] < last:
            yield f"the receipt of {who} does not follow the one before"
        if any(said[name] != public[name] for name in ("study", "list", "environment")):
            yield f"the receipt of {who} is of another list"
        reached.append(stratum)
        if (slot.get("stratum"), slot.get("pos")) != (stratum, reached.count(stratum)):
            yield f"{who} is not on the slot that was next"
        if who in met or said["random_number"] in met:
            yield f"{who} or the number of {who} is there twice"
        met |= {who, said["random_number"]}
        previous, last = _sha(text.encode()), said["at"]
    counts["receipts"] = len(bundle["receipts"])


def _draws(bundle: Json, slots: list[Json], _counts: dict[str, int]) -> Iterator[str]:
    """Of a minimised list: each draw again, as it is on record; it gives the slot its arm."""
    spec, known = json.loads(bundle["spec"]), {slot["slot_id"]: slot for slot in slots}
    arms, told, made = [arm for arm, _ in spec["ratio"]], spec["options"], []
    seed = mixed(bytes.fromhex(bundle["seed"]), bundle["public"].get("beacon_value"))
    given = [json.loads(r["text"]) for r in bundle["receipts"] if spec["scheme"] == "minimise"]
    counts = {part: [0] * len(arms) for name in spec["strata"] for part in name.split("|")}
    for number, said in enumerate(given, start=1):
        mine, scores = said["stratum"].split("|"), [0] * len(arms)
        weights = told.get("weights", [1] * len(mine))
        for place, at in product(range(len(arms)), range(len(mine))):
            n = [count + (arm == place) for arm, count in enumerate(counts[mine[at]])]
            square = len(n) * sum(count * count for count in n) - sum(n) ** 2
            spread = square if told.get("variance") == [1] else max(n) - min(n)
            scores[place] += weights[at] * spread
        best, favour, of = [s == min(scores) for s in scores], told["favour"][0], told["of"][0]
        shares = favour * best.count(False), (of - favour) * best.count(True)
        odds = [1 if all(best) else shares[0 if preferred else 1] for preferred in best]
        chance = _stream(spec, seed, str(number), "draw")
        place = chance.pick(odds)
        record = {"number": number, "stratum": said["stratum"], "counts": counts, "odds": odds}
        drawn = {"scores": scores, "point": chance.point, "arm": arms[place]}
        made.append(canonical({**record, **drawn}))
        known[said["slot"]]["arm"] = arms[place]
        for part in mine:
            counts[part][place] += 1
    if made != bundle["draws"]:
        yield "the draws are not those on record"


def _kits(bundle: Json, slots: list[Json], counts: dict[str, int]) -> Iterator[str]:
    """Each is as committed to when packed, and went once, to somebody of its arm."""
    held: dict[str, str] = {}
    for packing in bundle["packings"]:
        said, kits = json.loads(packing["text"]), packing["kits"]
        root = _root([canonical({"kit": n, "arm": arm, "salt": s}) for n, arm, s in kits])
        if not _signed(bundle, packing["text"], packing["signature"]):
            yield f"the note of batch {said['batch']} is not as it was signed"
        if (said["kits"], said["root"]) != (len(kits), root):
            yield f"the kits of batch {said['batch']} are not those packed"
        if held.keys() & {number for number, _, _ in kits}:
            yield f"a kit of batch {said['batch']} was packed twice"
        held |= {number: arm for number, arm, _ in kits}
        counts["kits"] += len(kits)
    arm_of = {slot["slot_id"]: slot["arm"] for slot in slots}
    receipts = [json.loads(receipt["text"]) for receipt in bundle["receipts"]]
    arms = {said["participant"]: arm_of.get(said["slot"]) for said in receipts}
    given = {number: who for number, who, _ in bundle["assigned"]}
    if len(given) != len(bundle["assigned"]):
        yield "a kit was given twice"
    for number, who in given.items():
        if number not in held or held[number] != arms.get(who):
            yield f"kit {number} does not hold what {who} is to get"
    for said in receipts:
        if any(given.get(number) != said["participant"] for number in said["kits"]):
            yield f"the kits on the receipt of {said['participant']} went elsewhere"


def list_of(spec: Json, seed: bytes, beacon: str | None = None) -> list[Json]:
    """Return every slot that specification and seed give."""
    made, seed = [], mixed(seed, beacon)
    for stratum in spec["strata"]:
        arms, marks = (_stream(spec, seed, stratum, use) for use in ("arms", "slots"))
        for place, arm in enumerate(SCHEMES[spec["scheme"]](arms, spec), start=1):
            mark = marks.generate(32)
            slot = {"slot_id": str(UUID(bytes=mark[:16], version=4)), "salt": mark[16:].hex()}
            made.append({**slot, "stratum": stratum, "pos": place, "arm": arm})
    return made


def mixed(seed: bytes, beacon: str | None) -> bytes:
    """Return the seed with the beacon mixed in by HKDF, if there is one."""
    drawn = hmac.digest((beacon or "").encode(), seed, "sha256")
    return hmac.digest(drawn, b"ecrf-beacon-1\x01", "sha256") if beacon else seed


def _stream(spec: Json, seed: bytes, *use: str) -> Generator:
    parts = ["ecrf-list-1", spec["environment"], spec["study"], spec["version"], *use]
    return Generator(hmac.digest(seed, canonical(parts).encode(), "sha256"))


class Generator:
    """HMAC-DRBG with SHA-256 (NIST SP 800-90A, 10.1.2)."""

    def __init__(self, entropy: bytes) -> None:
        self.key, self.value = bytes(32), b"\x01" * 32
        self._update(entropy)

    def generate(self, count: int) -> bytes:
        made = b""
        while len(made) < count:
            self.value = hmac.digest(self.key, self.value, "sha256")
            made += self.value
        self._update(b"")
        return made[:count]

    def below(self, n: int) -> int:
        width = max(4, ((n - 1).bit_length() + 7) // 8)
        word = int.from_bytes(self.generate(width), "big")
        return word % n if word < (1 << 8 * width) // n * n else self.below(n)

    def pick(self, weights: list[int]) -> int:
        self.point = self.below(sum(weights))
        return next(n for n in range(len(weights)) if self.point < sum(weights[: n + 1]))

    def _update(self, given: bytes) -> None:
        for mark in (b"\x00", b"\x01") if given else (b"\x00",):
            self.key = hmac.digest(self.key, self.value + mark + given, "sha256")
            self.value = hmac.digest(self.key, self.value, "sha256")


def _blocks(chance: Generator, spec: Json) -> Iterator[str]:
    sizes, made = spec["options"]["sizes"], 0
    weights = spec["options"].get("weights", [1] * len(sizes))
    whole = [arm for arm, weight in spec["ratio"] for _ in range(weight)]
    while made < spec["slots"]:
        times = sizes[chance.pick(weights)] // len(whole)
        block = sorted(whole * times, key=whole.index)
        for last in range(len(block) - 1, 0, -1):
            other = chance.below(last + 1)
            block[last], block[other] = block[other], block[last]
        made += len(block)
        yield from block


def _pair(chance: Generator, spec: Json) -> Iterator[str]:
    """Draw by the difference of two arms: big stick, biased coin, maximal procedure."""
    name, options = spec["scheme"], {key: told[0] for key, told in spec["options"].items()}
    bound, even, ahead = options.get("bound", 0), options.get("even", 0), 0
    slots, span = spec["slots"] + spec["slots"] * even % 2, range(-bound, bound + 1)
    ways = [{a: int(a == 0 or not even) for a in span}]
    for _ in range(slots if name == "maximal" else 0):
        ways.append({a: ways[-1].get(a + 1, 0) + ways[-1].get(a - 1, 0) for a in span})
    for left in range(slots, 0, -1):
        if name == "maximal":
            first = chance.below(ways[left][ahead]) < ways[left - 1].get(ahead + 1, 0)
        elif name == "big_stick" and abs(ahead) == bound:
            first = ahead < 0
        elif name == "biased_coin" and ahead:
            first = (chance.below(options["of"]) < options["favour"]) == (ahead < 0)
        else:
            first = chance.below(2) == 0
        ahead += 1 if first else -1
        yield spec["ratio"][0 if first else 1][0]


def _urn(chance: Generator, spec: Json) -> Iterator[str]:
    """Draw from an urn; simple draws put nothing back, and none has one arm only."""
    told = spec["options"]
    balls = [told.get("start", [weight])[0] for _, weight in spec["ratio"]]
    for _ in range(spec["slots"]):
        drawn = chance.pick(balls) if any(balls) else chance.below(len(balls))
        balls = [n + told.get("add", [0])[0] * (at != drawn) for at, n in enumerate(balls)]
        yield spec["ratio"][drawn][0]


SCHEMES: dict[str, Callable[[Generator, Json], Iterator[str]]] = {
    "permuted_block": _blocks, "big_stick": _pair, "biased_coin": _pair, "maximal": _pair,
    "urn": _urn, "simple": _urn, "none": _urn,
    "minimise": lambda _, spec: iter([""] * spec["slots"]),
}  # fmt: skip


def canonical(value: object) -> str:
    """Return the one text of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _root(leaves: list[str]) -> str:
    """Return the Merkle root (RFC 6962)."""
    level = [hashlib.sha256(b"\x00" + leaf.encode()).digest() for leaf in leaves]
    while len(level) > 1:
        odd = [level.pop()] if len(level) % 2 else []
        both = zip(level[0::2], level[1::2])  # noqa: B905 - Python 3.9 has no strict
        level = [hashlib.sha256(b"\x01" + one + two).digest() for one, two in both] + odd
    return level[0].hex() if level else hashlib.sha256().hexdigest()


def _signed(bundle: Json, text: str, signature: str) -> bool:
    if Ed25519PublicKey is None:
        return True
    public = b64decode(bundle["public"]["key"].split("+", 2)[2])[1:]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(b64decode(signature), text.encode())
    except InvalidSignature:
        return False
    return True


def main() -> int:
    """Check the bundle named on the command line."""
    parser = argparse.ArgumentParser("verify_bundle.py")
    parser.add_argument("bundle")
    parser.add_argument("--publication", type=Path, nargs="*", default=[], dest="filed")
    given = parser.parse_args()
    try:
        bundle = load(given.bundle)
        filed = "".join(file.read_text("utf-8") for file in given.filed)
    except (OSError, ValueError) as error:
        parser.error(f"{given.bundle} is no bundle, or nothing was filed: {error}")
    faults, counts, signed = verify(bundle, filed)
    seals = "checked" if signed else "NOT checked: `cryptography` is not installed"
    print(*faults or ["Good:", *counts.items()], f"Signatures {seals}.", sep="\n")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
