"""Checkpoints: signed notes over all chain heads, kept in the database and outside of it.

A note can be made over the heads of now, or over heads read in an earlier snapshot (what an
export was made of): each note says where the chains stood at some moment, and the numbers say
in which order the notes were signed. The files outside are written after the commit, never
before; one that is missing is written with the next.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel import keys, notes
from ecrf.kernel.config import Config
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.keys import Signer
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By, Ledger
from ecrf.kernel.notes import Heads
from ecrf.kernel.text import T

FOLDER = "checkpoints"
WHOLE = 100
"""Every so many checkpoints all heads are kept, in between only those that moved."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where checkpoints are signed and handed out: the key, and the folder outside."""

    signer: Signer
    folder: Path


def desk(config: Config) -> Desk:
    """Return the desk of an installation; Unavailable when the key is missing or open."""
    return Desk(keys.signer(config.signing_key_file), config.data_dir / FOLDER)


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint that was made."""

    number: int
    note: str
    heads: Heads


def heads(session: Session, ledger: Ledger = LEDGER) -> dict[str, tuple[int, str]]:
    """Return where every chain stands, in one statement and so in one state."""
    c = ledger.chain.c
    rows = session.execute(select(c.name, c.size, c.link).where(c.size > 0))
    return {name: (size, link) for name, size, link in rows}


def heads_at(
    session: Session, number: int, ledger: Ledger = LEDGER
) -> dict[str, tuple[int, str]]:
    """Return the heads the checkpoint `number` covers."""
    c = ledger.checkpoint.c
    base = number - number % WHOLE
    return notes.load_heads(
        session.scalars(
            select(c.heads).where(c.number.between(base, number)).order_by(c.number)
        )
    )


def note(session: Session, number: int, ledger: Ledger = LEDGER) -> str:
    """Return the signed note of the checkpoint `number`."""
    c = ledger.checkpoint.c
    found: str | None = session.scalar(select(c.note).where(c.number == number))
    if found is None:
        raise Unavailable(T("Checkpoint {number} is missing.", number=number))
    return found


def make(
    session: Session, by: By, desk: Desk, over: Heads | None = None, ledger: Ledger = LEDGER
) -> Made:
    """Sign the heads of now, or those given, as the next checkpoint.

    The system's chain says so first, and its lock keeps the numbers in a row. A ledger that is
    shorter than a checkpoint made earlier is not signed.
    """
    system = ledger.head(session, SYSTEM)
    number = _next(session, ledger)
    act = Act(
        "ledger:checkpoint", None, key=f"checkpoint:{number}", refs={"checkpoint": number}
    )
    ledger.write(session, by, [(system, act)])
    live = heads(session, ledger)
    covered = live if over is None else over
    before = heads_at(session, number - 1, ledger) if number else {}
    _refuse_shorter(before, live, number - 1)
    previous = notes.digest(note(session, number - 1, ledger)) if number else notes.FIRST
    text = notes.signed(notes.checkpoint(covered, number, by.at, previous), desk.signer)
    base = before if number % WHOLE else {}
    session.execute(
        insert(ledger.checkpoint).values(
            number=number, at=by.at, note=text, heads=notes.dump_heads(base, covered)
        )
    )
    _hand_out(session, desk.folder, number, ledger)
    return Made(number, text, covered)


def _next(session: Session, ledger: Ledger) -> int:
    last = session.scalar(select(func.max(ledger.checkpoint.c.number)))
    return 0 if last is None else last + 1


def _refuse_shorter(before: Heads, now: Heads, number: int) -> None:
    for name, (size, _) in sorted(before.items()):
        found = now.get(name, (0, ""))[0]
        if found < size:
            raise Unavailable(
                T(
                    "The chain {chain} has {found} acts but had {size} at checkpoint {number}. "
                    "No checkpoint is signed; run `ecrf ledger verify`.",
                    chain=name, found=found, size=size, number=number,
                )
            )  # fmt: skip


def _hand_out(session: Session, folder: Path, number: int, ledger: Ledger) -> None:
    """Write every note that has no file yet, once the transaction has committed."""
    c = ledger.checkpoint.c
    last = max((number for number, _ in outside(folder)), default=-1)
    if last > number:
        raise Unavailable(
            T(
                "Checkpoint {last} was handed out, but the database knows only {number}: "
                "it is older than its checkpoints. Run `ecrf ledger verify`.",
                last=last, number=number,
            )
        )  # fmt: skip
    missing = session.execute(
        select(c.number, c.note).where(c.number > last).order_by(c.number)
    )
    event.listen(session, "after_commit", _writer(folder, list(missing)), once=True)


def _writer(folder: Path, missing: Sequence[tuple[int, str]]) -> Callable[[Session], None]:
    def write(_session: Session) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in missing:
            _write(folder / f"{number:06}.txt", text)

    return write


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)


def outside(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield (number, note) of the files in the folder, oldest first."""
    for path in sorted(folder.glob("*.txt")):
        yield int(path.stem), path.read_bytes().decode()
