"""Check a package: its sums, manifest, ledger and checkpoint, and that data and ledger agree.

This file needs Python 3.9 or newer and nothing else, and travels inside every package:

    python verify.py PACKAGE.zip [--key PUBLIC-KEY]

With the package `cryptography` installed it also checks the signatures. Without --key the key
inside the package is used: that shows the parts belong together, not who signed them; compare
the key with one that reached you another way.

Exit status: 0 all good, 1 something is wrong (named), 2 this is no package.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # pragma: no cover
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

TAG = b"ecrf-chain-1"
GENESIS = hashlib.sha256(TAG).hexdigest()
FORMAT = "ecrf package 1"
BROKEN = (ValueError, EOFError, RuntimeError, OSError, zipfile.BadZipFile, zlib.error)
PARTS = ("value", "text", "unit", "missing")
WORDINGS = {
    "sums": "{where} is not the file that SHA256SUMS lists.",
    "misnamed": "{where} has another content than its name says.",
    "listed": "{where} is in the package but not listed, or listed but not in the package.",
    "manifest": "{where} is not what MANIFEST.json says of it.",
    "definition": "{where} is not the definition with that fingerprint.",
    "chain": "Act {where} does not follow the one before: altered, inserted, removed or moved.",
    "content": "The values in act {where} are not those written.",
    "redacted": "A value in act {where} was taken out that is not a masked one.",
    "head": "Chain {where} does not end where the manifest says.",
    "tree": "The heads are not those of the checkpoint ({where}).",
    "signature": "The signature on {where} is not good.",
    "binding": "The signature in act {where} binds other answers.",
    "unreadable": "{where}, or what it speaks of, cannot be read.",
    "fold": "{where} is not what the ledger says.",
    "treatment": "{where} is not what the bundle and the participants say.",
}

STEPS = {
    "sums": "SHA256SUMS",
    "described": "MANIFEST.json",
    "definitions": "definition.json",
    "ledger": "ledger/acts.ndjson",
    "tree": "ledger/heads.ndjson",
    "signatures": "SIGNATURE.txt",
    "data": "dictionary.csv",
    "treatments": "trt.csv",
}
STATING = ("entry:save", "entry:recompute", "entry:not-done", "entry:upgrade")
"""The acts that say what an entry is from then on."""


class Fault(NamedTuple):
    """One thing wrong: its kind, a key of `WORDINGS`, and where."""

    kind: str
    where: str

    def __str__(self) -> str:
        return WORDINGS[self.kind].format(where=self.where)


class NoPackage(Exception):
    """The file is not a package at all."""


class Result(NamedTuple):
    """What came of checking: the first faults (at most one per file or chain), and counts."""

    faults: tuple[Fault, ...]
    files: int
    acts: int
    entries: int
    signed: bool
    key: str


Entry = dict[str, Any]


def verify(path: str, key: str | None = None) -> Result:
    """Check the package in the file `path`; `key` is a public key trusted beforehand."""
    try:
        with zipfile.ZipFile(path) as package:
            return _Check(package, key).run()
    except (KeyError, *BROKEN) as error:
        raise NoPackage(f"{path} is no package: {error}") from None


class _Check:
    def __init__(self, package: zipfile.ZipFile, key: str | None) -> None:
        self.package = package
        self.manifest: dict[str, Any] = json.loads(package.read("MANIFEST.json"))
        if self.manifest.get("format") != FORMAT:
            raise ValueError("the manifest is of another format")
        self.key = (key or package.read("ledger/public-key.txt").decode()).strip()
        self.acts = 0
        self.entries: dict[int, Entry] = {}
        self.masked = {(m["form"], k) for m in self.manifest["left_out"] for k in m["keys"]}

    def run(self) -> Result:
        faults: list[Fault] = []
        for step in (
            self.sums, self.described, self.definitions, self.ledger, self.tree,
            self.signatures, self.data, self.treatments,
        ):  # fmt: skip
            try:
                faults += step()
            except (KeyError, TypeError, *BROKEN):
                faults.append(Fault("unreadable", STEPS[step.__name__]))
            if faults and step == self.ledger:
                break
        signed = Ed25519PublicKey is not None
        files = len(self.manifest["files"])
        return Result(tuple(faults), files, self.acts, len(self.entries), signed, self.key)

    def sums(self) -> Iterator[Fault]:
        """Every file has the SHA-256 listed, and none is extra or missing."""
        listed = {}
        for line in self.package.read("SHA256SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
        there = set(self.package.namelist()) - {"SHA256SUMS", "SIGNATURE.txt"}
        if len(self.package.namelist()) != len(set(self.package.namelist())):
            yield Fault("listed", "a file that appears twice")
        for name in sorted(there ^ set(listed)):
            yield Fault("listed", name)
        for name in sorted(there & set(listed)):
            if self._digest(name) != listed[name]:
                yield Fault("sums", name)
            elif name.startswith("files/") and not name.startswith(f"files/{listed[name]}."):
                yield Fault("misnamed", name)

    def _digest(self, name: str) -> str:
        total = hashlib.sha256()
        try:
            with self.package.open(name) as file:
                for block in iter(lambda: file.read(1 << 16), b""):
                    total.update(block)
        except BROKEN:
            return ""
        return total.hexdigest()

    def described(self) -> Iterator[Fault]:
        """The manifest's sizes, sums and row counts are those of the files."""
        described = self.manifest["files"]
        there = set(self.package.namelist())
        outside = {"SHA256SUMS", "SIGNATURE.txt", "MANIFEST.json"}
        for name in sorted((there - outside) ^ set(described)):
            yield Fault("listed", name)
        for name in sorted(there & set(described)):
            facts = described[name]
            same = (
                self.package.getinfo(name).file_size == facts["bytes"]
                and self._digest(name) == facts["sha256"]
                and facts["rows"] in (None, self._rows(name))
            )
            if not same:
                yield Fault("manifest", name)

    def _rows(self, name: str) -> int:
        if name.endswith(".csv"):
            return sum(1 for _ in self._lines(name)) - 1
        with self.package.open(name) as file:
            return sum(1 for _ in file)

    def _lines(self, name: str) -> Iterator[list[str]]:
        with self.package.open(name) as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            yield from csv.reader(text)

    def definitions(self) -> Iterator[Fault]:
        for name, fingerprint in sorted(self.manifest["definitions"].items()):
            if self._digest(name) != fingerprint:
                yield Fault("definition", name)

    def ledger(self) -> Iterator[Fault]:
        """Every act follows the one before, holds what it commits to, and every head is met."""
        ends: dict[str, tuple[int, str]] = {}
        broken = set()
        with self.package.open("ledger/acts.ndjson") as file:
            for line in file:
                self.acts += 1
                act = json.loads(line)
                name, seq = act["chain"], act["seq"]
                size, link = ends.get(name, (0, GENESIS))
                ends[name] = (size + 1, act["link"])
                if name in broken:
                    continue
                for fault in self._act(act, size, link):
                    broken.add(name)
                    yield fault
                    break
                else:
                    yield from self._fold(act, f"{name}#{seq}")
        heads = {name: tuple(head) for name, head in self.manifest["ledger"]["heads"].items()}
        for name in sorted(set(heads) | set(ends)):
            if heads.get(name) != ends.get(name) and name not in broken:
                yield Fault("head", name)

    def _act(self, act: dict[str, Any], size: int, link: str) -> Iterator[Fault]:
        where = f"{act['chain']}#{act['seq']}"
        header = json.loads(act["header"])
        placed = (act["chain"], act["seq"]) == (header["chain"], header["seq"])
        if act["seq"] != size or not placed or _follow(link, act["header"]) != act["link"]:
            yield Fault("chain", where)
            return
        if len(act["changes"]) != len(header["commits"]):
            yield Fault("content", where)
            return
        for change, commit in zip(act["changes"], header["commits"]):  # noqa: B905 (3.9)
            if change.get("redacted"):
                if not self._may_lack(header, change["item"]):
                    yield Fault("redacted", where)
            elif _commitment(change) != commit:
                yield Fault("content", where)

    def _may_lack(self, header: dict[str, Any], item: str) -> bool:
        """Say whether this may be taken out: a masked value, a reason or query beside one, a
        vote on a case that is not final.
        """
        form = header["refs"].get("form")
        if header["action"].startswith("vote:"):
            return header["refs"].get("case") in self.manifest.get("sealed_cases", [])
        if str(header["key"]).startswith("query:"):
            return (form, header["refs"].get("item")) in self.masked
        hidden = any(masked == form for masked, _ in self.masked)
        return (form, item) in self.masked or (item == "#reason" and hidden)

    def _fold(self, act: dict[str, Any], where: str) -> Iterator[Fault]:
        header = json.loads(act["header"])
        kind, _, number = str(header["key"]).partition(":")
        if kind != "entry":
            return
        entry = self.entries.setdefault(int(number), {"answers": {}, "lacking": False})
        for change in act["changes"]:
            if change.get("redacted"):
                entry["lacking"] = True
            elif change["item"].startswith("#"):
                continue
            elif change["new"] is None:
                entry["answers"].pop(change["item"], None)
            else:
                entry["answers"][change["item"]] = change["new"]
        if header["action"] in STATING:
            entry["refs"] = header["refs"]
        signs = header["action"] == "entry:sign" and not entry["lacking"]
        if signs and header["refs"]["content"] != _bound(entry, header["refs"]):
            yield Fault("binding", where)

    def tree(self) -> Iterator[Fault]:
        """The heads' Merkle root is the checkpoint's, and the manifest's."""
        leaves = []
        heads = dict(self.manifest["ledger"]["heads"])
        found = {}
        with self.package.open("ledger/heads.ndjson") as file:
            for line in file:
                leaf = json.loads(line)
                if isinstance(leaf, str):
                    leaves.append(bytes.fromhex(leaf))
                else:
                    found[leaf[0]] = leaf[1:]
                    leaves.append(hashlib.sha256(b"\x00" + _canonical(leaf).encode()).digest())
        lines = self.package.read("ledger/checkpoint.txt").decode().split("\n")
        root = base64.b64encode(_tree(leaves)).decode()
        said = self.manifest["ledger"]
        if found != heads or lines[1:3] != [str(len(leaves)), root] or said["root"] != root:
            yield Fault("tree", "ledger/heads.ndjson")
        if f"number {said['checkpoint']}" not in lines:
            yield Fault("tree", "ledger/checkpoint.txt")

    def signatures(self) -> Iterator[Fault]:
        """The checkpoint and the package are signed with the key."""
        if Ed25519PublicKey is None:
            return
        total = self._digest("SHA256SUMS")
        package = self.package.read("SIGNATURE.txt").decode()
        if not package.startswith(f"ecrf package\n{total}\n\n") or not _stands(
            package, self.key
        ):
            yield Fault("signature", "SIGNATURE.txt")
        if not _stands(self.package.read("ledger/checkpoint.txt").decode(), self.key):
            yield Fault("signature", "ledger/checkpoint.txt")

    def data(self) -> Iterator[Fault]:
        """Every answer in the data files is the fold of the ledger, and none is missing."""
        files: dict[str, list[dict[str, str]]] = {}
        lines = self._lines("dictionary.csv")
        header = next(lines)
        for cells in lines:
            column = dict(zip(header, map(_plain, cells)))  # noqa: B905 (3.9)
            files.setdefault(column["file"], []).append(column)
        seen: set[int] = set()
        answered: dict[int, set[str]] = {}
        for name, columns in sorted(files.items()):
            for fault in self._file(name, columns, seen, answered):
                yield fault
                break
        for number, entry in sorted(self.entries.items()):
            kept = {
                item for item in entry["answers"]
                if (entry["refs"]["form"], item) not in self.masked
            }  # fmt: skip
            if number not in seen or kept != answered.get(number, set()):
                yield Fault("fold", f"entry {number}")

    def treatments(self) -> Iterator[Fault]:
        """Arms, where there are any, are of the participants and the bundle of the package.

        That the bundle is the list drawn before the first participant is for its own program.
        """
        if self.manifest.get("blinding") != "unblinded":
            return
        if self._digest("randomization/bundle.json") != self.manifest["bundle"]:
            yield Fault("treatment", "randomization/bundle.json")
        bundle = json.loads(self.package.read("randomization/bundle.json"))
        receipts = [json.loads(receipt["text"]) for receipt in bundle["receipts"]]
        drawn = {r["participant"]: (r["random_number"], r["stratum"]) for r in receipts}
        held = {n: arm for packing in bundle["packings"] for n, arm, _ in packing["kits"]}
        given = {(who, held.get(number)) for number, who, _ in bundle["assigned"]}
        said = {row["participant"]: row for row in self._dicts("trt.csv")}
        numbers = {
            row["participant"]: row["random_number"]
            for row in self._dicts("participants.csv")
            if row["random_number"]
        }
        for code in sorted(said.keys() ^ numbers.keys()):
            yield Fault("treatment", f"trt.csv {code}")
        for code in sorted(said.keys() & numbers.keys()):
            row = said[code]
            told = (row["random_number"], row["stratum"])
            others = {arm for who, arm in given if who == code} - {row["arm"]}
            if told != drawn.get(code) or told[0] != numbers[code] or others:
                yield Fault("treatment", f"trt.csv {code}")

    def _dicts(self, name: str) -> Iterator[dict[str, str]]:
        lines = self._lines(name)
        header = next(lines)
        for cells in lines:
            yield dict(zip(header, map(_plain, cells)))  # noqa: B905 (3.9)

    def _file(
        self,
        name: str,
        columns: list[dict[str, str]],
        seen: set[int],
        answered: dict[int, set[str]],
    ) -> Iterator[Fault]:
        lines = self._lines(name)
        names = next(lines)
        if names != [column["column"] for column in columns]:
            yield Fault("manifest", name)
            return
        for number, cells in enumerate(lines, start=1):
            row = dict(zip(names, map(_plain, cells)))  # noqa: B905 (3.9)
            entry = self.entries.get(int(row["entry"]))
            if entry is None or not _same_place(row, entry["refs"], columns[0]["form"]):
                yield Fault("fold", f"{name} row {number}")
                continue
            seen.add(int(row["entry"]))
            for column in columns:
                if column["part"] not in PARTS:
                    continue
                item = f"{row['row']}.{column['item']}" if column["grid"] else column["item"]
                answer = entry["answers"].get(item, {})
                if answer:
                    answered.setdefault(int(row["entry"]), set()).add(item)
                if answer.get(column["part"], "") != row[column["column"]]:
                    yield Fault("fold", f"{name} row {number} column {column['column']}")


def _same_place(row: dict[str, str], refs: dict[str, Any], form: str) -> bool:
    told = (
        refs["participant"], refs["visit"], str(refs["number"]), refs["status"],
        str(refs["version"]), refs["protocol"][:12], refs["form"],
    )  # fmt: skip
    names = ("participant", "visit", "number", "status", "version", "definition")
    return told == (*(row[name] for name in names), form)


def _plain(cell: str) -> str:
    return cell.removeprefix("'")


def _bound(entry: Entry, signed: dict[str, Any]) -> str:
    refs = {**entry["refs"], **{name: signed.get(name) for name in ("meaning", "meaning_zh")}}
    names = ("form", "number", "participant", "protocol", "version", "visit")
    content = {name: refs[name] for name in (*names, "meaning", "meaning_zh")}
    content["answers"] = entry["answers"]
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _commitment(change: dict[str, Any]) -> str:
    content = _canonical([change["item"], change["old"], change["new"]])
    return hashlib.sha256(bytes.fromhex(change["salt"]) + content.encode()).hexdigest()


def _follow(link: str, header: str) -> str:
    leaf = hashlib.sha256(b"\x00" + header.encode()).digest()
    return hashlib.sha256(TAG + bytes.fromhex(link) + leaf).hexdigest()


def _tree(level: list[bytes]) -> bytes:
    """Return the RFC 6962 root over leaf hashes."""
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def _stands(note: str, key: str) -> bool:
    """Say whether a C2SP signed note carries a good signature by the key."""
    body, _, signatures = note.partition("\n\n")
    name, key_id, coded = key.split("+", 2)
    public = base64.b64decode(coded)[1:]
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        signer, _, text = rest.rpartition(" ")
        try:
            raw = base64.b64decode(text, validate=True)
            if mark == "—" and signer == name and raw[:4].hex() == key_id:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{body}\n".encode())
                return True
        except (ValueError, InvalidSignature):
            return False
    return False


def report(result: Result) -> str:
    """Return what a person reads after a check."""
    lines = [str(fault) for fault in result.faults]
    if not lines:
        lines = [
            f"Good: {result.files} files, {result.acts} acts, {result.entries} entries.",
            "Sums, chains, commitments, heads, checkpoint and data agree.",
        ]
    lines.append(
        f"Signatures checked with {result.key}"
        if result.signed
        else "Signatures NOT checked: the Python package `cryptography` is not installed."
    )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the check from the command line."""
    key = None
    if len(arguments) == 3 and arguments[1] == "--key":
        key = arguments[2]
    elif len(arguments) != 1:
        sys.stderr.write("usage: verify.py PACKAGE.zip [--key PUBLIC-KEY]\n")
        return 2
    try:
        result = verify(arguments[0], key)
    except NoPackage as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(report(result) + "\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
