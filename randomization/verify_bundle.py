"""Check a revealed randomization: the list from its seed, every receipt, kit, order and gap.

It needs Python 3.9 or newer and nothing else; with `cryptography` it also checks signatures.

    python verify_bundle.py BUNDLE.json [--publication FILE]

FILE is what was made known before the first participant, as filed outside of the system;
without it the bundle is checked against itself only. Exit status: 0 all good, 1 something is
wrong (named), 2 this is no bundle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections import Counter
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
    "vault key": "key",
}  # fmt: skip
UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)
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
    faults: list[str] = []
    slots: list[Json] = []
    counts = {"slots": 0, "receipts": 0, "kits": 0}
    for step in (_whole, _list, _receipts, _draws, _kits):
        try:
            faults += step(bundle, slots, counts)
        except UNREADABLE as error:
            faults.append(f"a part of the bundle cannot be read: {error!r}")
    filed = dict(line.split(": ", 1) for line in publication.splitlines() if ": " in line)
    for name, key in MADE_KNOWN.items() if publication else ():
        if filed.get(name) != str(bundle.get("public", {}).get(key)):
            faults.append(f"the {name} is not the one made known beforehand")
    return Result(tuple(faults), counts, Ed25519PublicKey is not None)


def _whole(bundle: Json, _slots: list[Json], _counts: dict[str, int]) -> Iterator[str]:
    rest = {name: part for name, part in bundle.items() if name != "signature"}
    if not _signed(bundle, canonical(rest), bundle["signature"]):
        yield "the bundle is not as it was signed"


def _list(bundle: Json, slots: list[Json], counts: dict[str, int]) -> Iterator[str]:
    public, spec, seed = bundle["public"], json.loads(bundle["spec"]), bundle["seed"]
    if _sha(bundle["spec"]) != public["spec_hash"]:
        yield "the specification is not the published one"
    if (
        hashlib.sha256(b"seed-commit" + bytes.fromhex(seed)).hexdigest()
        != (public["seed_commitment"])
    ):
        yield "the seed is not the one committed to"
    named = [("study", "study"), ("list", "version"), ("environment", "environment")]
    if any(public[one] != spec[other] for one, other in named):
        yield "the specification is of another list"
    slots += list_of(spec, bytes.fromhex(seed))
    counts["slots"] = len(slots)
    if _root([canonical(slot) for slot in slots]) != public["root"]:
        yield "the seed does not give the published root"


def _receipts(bundle: Json, slots: list[Json], counts: dict[str, int]) -> Iterator[str]:
    """Each is signed, names the one before, and has the slot that was next in its stratum."""
    public, known = bundle["public"], {slot["slot_id"]: slot for slot in slots}
    previous, last, reached, met = "0" * 64, "", Counter[str](), set[str]()
    for receipt in bundle["receipts"]:
        text, said = receipt["text"], json.loads(receipt["text"])
        who, slot = said["participant"], known.get(said["slot"], {})
        if not _signed(bundle, text, receipt["signature"]):
            yield f"the receipt of {who} is not as it was signed"
        if said["previous"] != previous or said["at"] < last:
            yield f"the receipt of {who} does not follow the one before"
        if any(said[name] != public[name] for name in ("study", "list", "environment")):
            yield f"the receipt of {who} is of another list"
        reached[said["stratum"]] += 1
        next_one = (said["stratum"], reached[said["stratum"]])
        if (slot.get("stratum"), slot.get("pos")) != next_one:
            yield f"{who} is not on the slot that was next"
        if met & {who, said["random_number"]}:
            yield f"{who} or the number of {who} is there twice"
        previous, last, met = _sha(text), said["at"], met | {who, said["random_number"]}
        counts["receipts"] += 1


def _draws(bundle: Json, slots: list[Json], _counts: dict[str, int]) -> Iterator[str]:
    """Of a minimised list: each draw again, as it is on record; it gives the slot its arm."""
    spec, known = json.loads(bundle["spec"]), {slot["slot_id"]: slot for slot in slots}
    arms, told, made = [arm for arm, _ in spec["ratio"]], spec["options"], []
    squared = told.get("variance") == [1]
    given = [json.loads(r["text"]) for r in bundle["receipts"] if spec["scheme"] == "minimise"]
    counts = {part: [0] * len(arms) for name in spec["strata"] for part in name.split("|")}
    for number, said in enumerate(given, start=1):
        mine, scores = said["stratum"].split("|"), [0] * len(arms)
        weights = told.get("weights", [1] * len(mine))
        for place, at in product(range(len(arms)), range(len(mine))):
            n = [count + (arm == place) for arm, count in enumerate(counts[mine[at]])]
            square = len(n) * sum(count * count for count in n) - sum(n) ** 2
            scores[place] += weights[at] * (square if squared else max(n) - min(n))
        best, favour, of = [s == min(scores) for s in scores], told["favour"][0], told["of"][0]
        shares = favour * best.count(False), (of - favour) * best.count(True)
        odds = [1 if all(best) else shares[0 if preferred else 1] for preferred in best]
        chance = _stream(spec, bytes.fromhex(bundle["seed"]), str(number), "draw")
        place = chance.pick(odds)
        record = {"number": number, "stratum": said["stratum"], "counts": counts, "odds": odds}
        record |= {"scores": scores, "point": chance.point, "arm": arms[place]}
        made.append(canonical(record))
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


def list_of(spec: Json, seed: bytes) -> list[Json]:
    """Return every slot of the list that this specification and seed give."""
    made: list[Json] = []
    for stratum in spec["strata"]:
        arms, marks = (_stream(spec, seed, stratum, use) for use in ("arms", "slots"))
        for place, arm in enumerate(SCHEMES[spec["scheme"]](arms, spec), start=1):
            mark = marks.generate(32)
            slot = {"slot_id": str(UUID(bytes=mark[:16], version=4)), "salt": mark[16:].hex()}
            made.append({**slot, "stratum": stratum, "pos": place, "arm": arm})
    return made


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
    whole, sizes, made = (
        [a for a, n in spec["ratio"] for _ in range(n)],
        spec["options"]["sizes"],
        0,
    )
    weights = spec["options"].get("weights", [1] * len(sizes))
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


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _root(leaves: list[str]) -> str:
    """Return the Merkle root (RFC 6962)."""
    level = [hashlib.sha256(b"\x00" + leaf.encode()).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [level[n : n + 2] for n in range(0, len(level), 2)]
        level = [p[0] if len(p) == 1 else hashlib.sha256(b"\x01" + p[0] + p[1]).digest()
                 for p in pairs]  # fmt: skip
    return level[0].hex() if level else hashlib.sha256().hexdigest()


def _signed(bundle: Json, text: str, signature: str) -> bool:
    if Ed25519PublicKey is None:
        return True
    public = base64.b64decode(bundle["public"]["key"].split("+", 2)[2])[1:]
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(base64.b64decode(signature), text.encode())
    except InvalidSignature:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Check the bundle named on the command line."""
    path, *rest = arguments or [""]
    if not path or (rest and (rest[0] != "--publication" or len(rest) != 2)):
        sys.stderr.write("usage: verify_bundle.py BUNDLE.json [--publication FILE]\n")
        return 2
    try:
        bundle, filed = load(path), Path(rest[1]).read_text("utf-8") if rest else ""
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{path} is no bundle, or nothing was filed: {error}\n")
        return 2
    faults, counts, signed = verify(bundle, filed)
    good = ", ".join(f"{count} {name}" for name, count in counts.items())
    checked = "checked" if signed else "NOT checked: `cryptography` is not installed"
    sys.stdout.write("\n".join([*(faults or [f"Good: {good}."]), f"Signatures {checked}.\n"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
