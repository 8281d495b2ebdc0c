"""Import of a list made elsewhere: checked, salted, sealed like any other; no file is kept."""

import hashlib
from typing import NamedTuple

from ecrf.kernel.ledger import By
from randomization import commit, design, lists, seal
from randomization.ceremony import books, making, reading
from randomization.ceremony.reading import Line, Weight
from randomization.ceremony.steps import NEEDS, Step
from randomization.commit import Leaf
from randomization.opened import Vault
from randomization.publications import Publication

ID_BYTES = 16


class Weighed(NamedTuple):
    """What a file holds, for the one who made it: it tells of arms.

    `ordered`: its random numbers rise with the position, so that they give it away.
    """

    file: str
    strata: tuple[Weight, ...]
    ordered: bool


def weigh(vault: Vault, by: By, study: str, number: int, content: bytes) -> Weighed:
    """Check a file against the signed specification and say how it keeps the ratio."""
    books.permitted(by, NEEDS[Step.IMPORT], study)
    with vault.database.read() as session:
        spec = books.spec_of(vault, books.required(session, vault, study, number))
    lines = reading.read(content, spec)
    ordered = reading.in_list_order(lines)
    return Weighed(file_hash(content), reading.weigh(lines, spec), ordered)


def import_list(vault: Vault, by: By, study: str, number: int, content: bytes) -> Publication:
    """Seal the list in the file; ids and salts are drawn, the file itself is not kept."""
    with books.opened(vault, by, study, number, Step.IMPORT) as book:
        spec, key = books.spec_of(vault, book.row), books.key_of(vault, book.row)
        lines = reading.read(content, spec)
        made = commit.committed([_leaf(by, line) for line in lines])
        nonce = by.draw(seal.NONCE_BYTES)
        context = lists.list_context("seed", study, book.row.environment, number)
        none = seal.seal(key, context, b"", nonce)
        row = making.list_row(book, made.root, commit.NO_SEED, none, nonce)
        given = reading.numbers_of(lines)
        lists.keep(book.session, by, row, key, spec, made, given)
        content_ = {
            "root": row.root, "slots": str(spec.asked), "file": file_hash(content),
        }  # fmt: skip
        books.write(book, books.enter(book, Step.IMPORT, content_))
        return lists.publication(book.session, vault, row)


def file_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _leaf(by: By, line: Line) -> Leaf:
    slot_id = design.slot_id(by.draw(ID_BYTES))
    return Leaf(slot_id, line.stratum, line.position, line.arm, by.draw(seal.SALT_BYTES))
