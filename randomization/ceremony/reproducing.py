"""Making the list a second time, elsewhere: a sealed file goes out, a root comes back.

On the second machine the list is drawn by the second implementation (`verify_bundle.py`), which
shares no code with the one that made it. Only somebody who really made it again knows the check
value that goes with the root, for it depends on the list's key.
"""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from ecrf.kernel.chain import canonical, tree_root
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import Message, T
from randomization import design, lists, seal, verify_bundle
from randomization.ceremony import books, reading, software
from randomization.ceremony.steps import Standing, Step
from randomization.opened import Vault
from randomization.seal import Keys
from randomization.tables import ListRow

FORMAT = "ecrf sealed ceremony 1"
TAG = b"ecrf-reproduced-1"
CHECK_SIGNS = 8
BYTES = ("key", "spec", "spec_nonce", "seed", "seed_nonce", "marks", "marks_nonce")


class Reproduced(NamedTuple):
    """What the second machine found; it tells no arm. `check` goes with the root.

    `slots` is the number asked for: the list's own would hint at the sizes of blocks.
    """

    study: str
    list: int
    environment: str
    slots: int
    root: str
    check: str
    software: str
    software_here: str


def export(vault: Vault, by: By, study: str, number: int) -> str:
    """Return the ceremony sealed, for a machine that holds the vault's key."""
    with books.opened(vault, by, study, number, Step.EXPORT) as book:
        turn = f"export {len(book.standing.all(Step.EXPORT)) + 1}"
        content = {"root": book.standing.root}
        books.write(book, books.enter(book, Step.EXPORT, content, turn=turn))
    with vault.database.read() as session:
        ceremony = books.required(session, vault, study, number)
        row = lists.required(session, vault, study, number)
        key, nonce = books.key_of(vault, ceremony), by.draw(seal.NONCE_BYTES)
        context = lists.list_context("marks", study, row.environment, number)
        marks = _marks(session, vault, row) if ceremony.imported else "[]"
        sealed = seal.seal(key, context, marks.encode(), nonce)
        parts = (row.key, row.spec, row.spec_nonce, row.seed, row.seed_nonce, sealed, nonce)
        value = books.stand(session, ceremony).fact(Step.BEACON, "value")
    coded = {name: b64encode(part).decode() for name, part in zip(BYTES, parts, strict=True)}
    place = {"study": study, "environment": vault.environment, "list": number}
    return canonical({"format": FORMAT, "beacon": value, **place, **coded})


def _marks(session: Session, vault: Vault, row: ListRow) -> str:
    """Return what an imported list has besides its file: ids and salts, without any arm."""
    leaves = lists.opened_leaves(session, vault, row)
    return canonical([
        [leaf.slot_id, leaf.stratum, leaf.position, leaf.salt.hex()] for leaf in leaves
    ])  # fmt: skip


def reproduce(text: str, keys: Keys, file: bytes | None) -> Reproduced:
    """Make the list again from the sealed file; `file` is the CSV of one that was imported."""
    sealed = _read(text)
    place = (sealed["study"], sealed["environment"], sealed["list"])
    try:
        context = lists.list_context("list key", *place)
        key = seal.unwrap(keys.wrapping, context, sealed["key"])
        spec, seed, marks = (
            seal.unseal(key, lists.list_context(kind, *place), sealed[kind],
                        sealed[f"{kind}_nonce"])
            for kind in ("spec", "seed", "marks")
        )  # fmt: skip
    except InvalidTag:
        raise _wrong("key", T("This key file does not open this ceremony.")) from None
    told = json.loads(spec)
    if told["scheme"] == design.IMPORTED:
        slots = _imported(spec.decode(), json.loads(marks), file)
    else:
        slots = verify_bundle.list_of(told, seed, sealed["beacon"])
    root = tree_root([canonical(slot).encode() for slot in slots]).hex()
    asked = told["slots"] * len(told["strata"])
    return Reproduced(
        place[0], place[2], place[1], asked, root, check_value(key, root),
        told["software"], software.named(),
    )  # fmt: skip


def confirm(
    vault: Vault, by: By, study: str, number: int, root: str, check: str, where: str
) -> Standing:
    """Record which root a second person found, and where. Another root bars the list for good.

    A slip of the keyboard is refused and recorded nowhere: root and check value must fit.
    """
    found, typed = root.strip().lower(), check.strip().lower()
    with books.opened(vault, by, study, number, Step.REPRODUCE) as book:
        expected = check_value(books.key_of(vault, book.row), found)
        if not hmac.compare_digest(expected.encode(), typed.encode()):
            raise _wrong("check", T("Root and check value do not belong together. Type both "
                                    "as the second machine printed them."))  # fmt: skip
        agrees = found == book.standing.root
        content = {
            "root": found, "agrees": "yes" if agrees else "no",
            "where": books.said("where", where),
        }  # fmt: skip
        turn = f"reproduction {len(book.standing.all(Step.REPRODUCE)) + 1}"
        books.write(book, books.enter(book, Step.REPRODUCE, content, turn=turn))
        return books.stand(book.session, book.row)


def check_value(key: bytes, root: str) -> str:
    return hmac.digest(key, TAG + root.encode(), "sha256").hex()[:CHECK_SIGNS]


def _read(text: str) -> Mapping[str, Any]:
    """Return the parts of a sealed file; refuse what is none."""
    try:
        parts = dict(json.loads(text))
        opened = {name: b64decode(parts[name], validate=True) for name in BYTES}
        plain = {name: parts[name] for name in ("study", "environment", "list", "beacon")}
    except (ValueError, KeyError, TypeError):
        parts = {}
    if parts.get("format") != FORMAT:
        raise _wrong("sealed", T("This is not a sealed ceremony."))
    return {**plain, **opened}


def _imported(
    spec: str, marks: Sequence[Sequence[Any]], file: bytes | None
) -> list[dict[str, Any]]:
    """Return the slots with the arms of the file: what is sealed must be what it says."""
    if file is None:
        raise _wrong("file", T("This list was imported: name the file it came from, too."))
    arms = reading.by_place(reading.read(file, design.from_canonical(spec)))
    if arms.keys() != {(stratum, position) for _, stratum, position, _ in marks}:
        raise _wrong("file", T("The file has other slots than the list."))
    return [
        {"slot_id": slot_id, "stratum": stratum, "pos": position, "salt": salt,
         "arm": arms[stratum, position].opened()}
        for slot_id, stratum, position, salt in marks
    ]  # fmt: skip


def _wrong(item: str, message: Message) -> Unacceptable:
    return Unacceptable(message, [Problem(item, message)])
