"""Make a package: a deterministic zip of everything blinded that a study knows.

Data, definition and ledger are read in one snapshot. From a lock the package is the same bytes
whenever it is made again; from a cut-off it is signed at the checkpoint made for it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ecrf.kernel import checkpoints, notes
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import canonical, stamp
from ecrf.kernel.checkpoints import Desk
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.notes import Heads
from ecrf.kernel.text import T
from forms.adjudicating import sealed
from forms.tables import Lock
from reports import (
    acts,
    attachments,
    courses,
    dictionary,
    people_listed,
    read,
    redact,
    shape,
    verify,
)
from reports.made import file_digest
from reports.manifest import SOFTWARE, LockFacts, Source, manifest, readme
from reports.packing import Packing
from reports.people import People
from reports.read import Selection, Version
from reports.treated import Treatments, put_arms

FOLDER = "packages"


class Package(NamedTuple):
    """A package that was made."""

    name: str
    path: Path
    sha256: str
    bytes: int
    checkpoint: int


def make(
    database: Database,
    session: Session,
    by: By,
    desk: Desk,
    folder: Path,
    study: str,
    lock_id: int | None = None,
    treatments: Treatments | None = None,
) -> Package:
    """Make the package of a lock, or of now, and write the act of exporting it.

    `session` is the writing transaction of the act; what is read comes from a snapshot of its
    own. The file takes its name once the transaction has committed. `treatments` make it the
    unblinded package of a locked study; nothing about arms enters the act.
    """
    if treatments is not None and lock_id is None:
        raise Conflict(T("An unblinded package is made of a lock."))
    role = by.actor.role_for(Right.DATA_EXPORT, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{by.draw(8).hex()}.part"
    try:
        with database.read() as reading, part.open("w+b") as file:
            source = _source(reading, by, study, lock_id)
            made = _fill(file, reading, session, by, desk, source, treatments)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    unblinded = treatments is not None
    return _finish(session, by, role, source, part, made, unblinded=unblinded)


class Filled(NamedTuple):
    """A package whose bytes are written."""

    checkpoint: int
    rows: int


def _source(reading: Session, by: By, study: str, lock_id: int | None) -> Source:
    held = by.actor.sites(Right.DATA_EXPORT, study)
    if lock_id is None:
        selection = Selection(study, held, by.at)
        return Source(selection, None, checkpoints.heads(reading), None, None)
    lock = _lock(reading, study, lock_id)
    if lock is None or lock.kind != "lock" or lock.scope not in ("study", "site"):
        raise NotFound(
            T("There is no lock {id} of this study or of one of its sites.", id=lock_id)
        )
    sites = frozenset({lock.target}) if lock.scope == "site" else None
    if held is not None and (sites is None or not sites <= held):
        raise NotAllowed(T("Your role does not cover every site of this lock."))
    if lock.reopened_at is not None and lock.lifted_at is None:
        raise Conflict(
            T("Part of lock {id} was unlocked. Lock it again; packages are made of that.",
              id=lock_id)
        )  # fmt: skip
    if lock.lifted_at is not None or lock.checkpoint is None:
        raise Conflict(
            T("Lock {id} was lifted: the data may have moved on. The packages made of it "
              "while it stood are listed below.", id=lock_id)
        )  # fmt: skip
    return Source(
        Selection(study, sites, lock.at),
        lock,
        checkpoints.heads_at(reading, lock.checkpoint),
        lock.checkpoint,
        checkpoints.note(reading, lock.checkpoint),
    )


def _lock(reading: Session, study: str, lock_id: int) -> LockFacts | None:
    row = reading.execute(
        select(*(getattr(Lock, name) for name in LockFacts._fields)).where(
            Lock.id == lock_id, Lock.study == study
        )
    ).one_or_none()
    return None if row is None else LockFacts(*row)


def _fill(
    file: IO[bytes], reading: Session, session: Session, by: By, desk: Desk, source: Source,
    treatments: Treatments | None = None,
) -> Filled:  # fmt: skip
    """Write every member; the checkpoint, the manifest and the sums come last."""
    selection = source.selection
    versions = read.definitions(reading, selection)
    studies = [known.study for known in versions]
    masked = shape.masked(studies)
    pack = Packing(file)
    _definition(pack, versions)
    _data(pack, reading, selection, shape.tables(studies))
    _listings(pack, reading, selection, masked)
    attachments.write(pack, reading, selection, studies, masked)
    if treatments is not None:
        known = read.randomized(reading, selection)
        put_arms(pack, versions[-1].study, known, treatments)
    mine = acts.sizes(acts.chains(reading, selection), source.heads)
    votes = sealed.numbers(reading, selection.study)
    _ledger(pack, reading, masked, votes, mine)
    pack.lines("ledger/heads.ndjson", _leaves(source.heads, mine))
    checkpoint, note = source.checkpoint, source.note
    if checkpoint is None or note is None:
        made = checkpoints.make(session, by, desk, over=source.heads)
        checkpoint, note = made.number, made.note
    pack.text("ledger/checkpoint.txt", note)
    pack.text("ledger/public-key.txt", desk.signer.verifier.text() + "\n")
    pack.text("README.txt", readme(source, versions[-1], treatments))
    pack.text("verify.py", Path(verify.__file__).read_text(encoding="utf-8"))
    rows = sum(
        facts.rows or 0 for name, facts in pack.files.items() if name.startswith("data/")
    )
    said = manifest(
        source, versions, masked, votes, mine, checkpoint, note, pack, treatments
    )  # fmt: skip
    pack.text("MANIFEST.json", json.dumps(said, ensure_ascii=False, indent=1) + "\n")
    sums = "".join(f"{pack.files[name].sha256}  {name}\n" for name in sorted(pack.files))
    pack.text("SHA256SUMS", sums)
    body = f"ecrf package\n{pack.files['SHA256SUMS'].sha256}\n"
    pack.text("SIGNATURE.txt", notes.sign(body, desk.signer))
    pack.close()
    return Filled(checkpoint, rows)


def _definition(pack: Packing, versions: tuple[Version, ...]) -> None:
    for known in versions[:-1]:
        pack.text(f"definition-{known.fingerprint[:12]}.json", known.content)
    pack.text("definition.json", versions[-1].content)
    codes = dictionary.code_lines(versions[-1].study)
    pack.table("codelists.csv", dictionary.CODES_HEADER, codes)


def _data(
    pack: Packing, reading: Session, selection: Selection, tables: tuple[shape.Table, ...]
) -> None:
    pack.table("dictionary.csv", dictionary.HEADER, dictionary.lines(tables))
    for table in tables:
        rows = _rows(reading, selection, table)
        pack.table(f"data/{table.name}.csv", table.header, rows)


def _rows(reading: Session, selection: Selection, table: shape.Table) -> Iterator[list[str]]:
    for entry in read.entries(reading, selection, table.form.id):
        keys = (
            selection.study, entry.site, entry.participant, entry.visit, entry.visit_date,
            str(entry.number), str(entry.id), entry.status, str(entry.version),
            entry.protocol[:12], "Y" if entry.signed else "N", read.text(entry.saved_at),
            "Y" if entry.later else "",
        )  # fmt: skip
        yield from shape.rows(table, keys, entry.answers)


def _listings(
    pack: Packing, reading: Session, selection: Selection, masked: tuple[shape.Masked, ...]
) -> None:
    cells = frozenset((m.form, key) for m in masked for key in m.keys)
    people = people_listed.participants(reading, selection)
    pack.table("participants.csv", people_listed.PARTICIPANTS, people)
    corrections = people_listed.corrections(reading, selection)
    pack.table("strata_corrected.csv", people_listed.CORRECTIONS, corrections)
    pack.table("visits.csv", read.VISITS, read.visits(reading, selection))
    pack.table("deviations.csv", read.DEVIATIONS, read.deviations(reading, selection))
    pack.table("queries.csv", read.QUERIES, read.queries(reading, selection, cells))
    pack.table("query_messages.csv", read.MESSAGES, read.messages(reading, selection, cells))
    pack.table("signatures.csv", read.SIGNATURES, read.signatures(reading, selection))
    pack.table("sites.csv", read.SITES, read.sites(reading, selection))
    _endpoints(pack, reading, selection)


def _endpoints(pack: Packing, reading: Session, selection: Selection) -> None:
    """Write what sites and committee say of the events, and the endpoints that come of it."""
    known = courses.rule_of(reading, selection.study)
    if known is None:
        return
    study, rule = known
    found = courses.courses(reading, selection, study, rule)
    pack.table("relinv.csv", courses.SITE_HEADER, courses.site_rows(found))
    pack.table("reladj.csv", courses.COMMITTEE_HEADER, courses.committee_rows(found))
    header = courses.endpoint_header(rule)
    pack.table("endpoints.csv", header, map(courses.endpoint_row, found))


def _ledger(
    pack: Packing,
    reading: Session,
    masked: tuple[shape.Masked, ...],
    votes: frozenset[int],
    mine: Heads,
) -> None:
    """Write the acts chain by chain, and who wrote them."""
    people = People()
    keys: dict[str, frozenset[str]] = {}
    for one in masked:
        keys[one.form] = keys.get(one.form, frozenset()) | frozenset(one.keys)

    def lines() -> Iterator[str]:
        for name in sorted(mine):
            for act in acts.acts(reading, name, mine[name][0]):
                people.note(json.loads(act.header))
                yield redact.line(act, keys, votes)

    pack.lines("ledger/acts.ndjson", lines())
    pack.table("people.csv", people.HEADER, people.rows())


def _leaves(heads: Heads, mine: Heads) -> Iterator[str]:
    """Yield the tree's leaves in order: in full for the selection, else only their hash."""
    for name in sorted(heads):
        if name in mine:
            yield canonical([name, *heads[name]]) + "\n"
        else:
            yield canonical(notes.leaf_hash(name, *heads[name]).hex()) + "\n"


def _finish(
    session: Session, by: By, role: Role, source: Source, part: Path, made: Filled, *,
    unblinded: bool = False,
) -> Package:  # fmt: skip
    """Write the act, and give the file its name after the commit."""
    study, lock = source.selection.study, source.lock
    kind = f"cutoff-{study}-{made.checkpoint}" if lock is None else f"lock-{study}-{lock.id}"
    digest, size = file_digest(part), part.stat().st_size
    side = "unblinded" if unblinded else "blinded"
    path = part.with_name(f"{kind}-{side}.zip")
    if path.exists() and file_digest(path) != digest:
        path = part.with_name(f"{kind}-{side}-{digest[:12]}.zip")
    refs = {
        "package": path.name, "sha256": digest, "bytes": size, "rows": made.rows,
        "checkpoint": made.checkpoint, "lock": None if lock is None else lock.id,
        "as_of": stamp(source.selection.at), "software": SOFTWARE,
        "sites": None if source.selection.sites is None else sorted(source.selection.sites),
    }  # fmt: skip
    action = "data:export"
    if unblinded:
        # Sum and size depend on arms, so they stand on the vault's ledger and not on this one.
        action = "data:export-unblinded"
        refs = {name: refs[name] for name in ("checkpoint", "lock", "as_of", "software")}
    act = Act(action, role, study, key=f"package:{kind}-{side}", refs=refs)
    LEDGER.record(session, by, study_chain(study), act)
    event.listen(session, "after_commit", lambda _: part.replace(path), once=True)
    event.listen(session, "after_rollback", lambda _: part.unlink(missing_ok=True), once=True)
    return Package(path.name, path, digest, size, made.checkpoint)
