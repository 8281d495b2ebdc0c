"""What a package says of itself: its source, its manifest, its readme."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import NamedTuple

from ecrf.kernel.chain import stamp
from ecrf.kernel.notes import Heads
from reports import shape, verify
from reports.packing import Packing
from reports.read import Selection, Version
from reports.treated import Treatments

SOFTWARE = version("ecrf")
UNBLINDED = """UNBLINDED: trt.csv says who was allocated to which treatment. The folder
randomization has the bundle it was taken from; check it with
    python verify_bundle.py bundle.json --publication publication.txt
and compare publication.txt with what was filed before the first participant. All other
files are those of the blinded package, of which the following is said.
非盲数据包：trt.csv 记录各受试者的治疗分配；randomization 文件夹内有分配依据及其校验程序。

"""


class LockFacts(NamedTuple):
    """A lock as stored."""

    id: int
    kind: str
    scope: str
    target: str
    at: datetime
    checkpoint: int | None
    lifted_at: datetime | None
    reopened_at: datetime | None


class Source(NamedTuple):
    """What a package is made of: a lock, or (None) the state of now."""

    selection: Selection
    lock: LockFacts | None
    heads: Heads
    checkpoint: int | None
    note: str | None


def manifest(
    source: Source,
    versions: tuple[Version, ...],
    masked: tuple[shape.Masked, ...],
    votes: frozenset[int],
    mine: Heads,
    checkpoint: int,
    note: str,
    pack: Packing,
    treatments: Treatments | None = None,
) -> Mapping[str, object]:
    """Return what MANIFEST.json says: what the package is, and every file in it."""
    lock, newest = source.lock, versions[-1]
    names = [f"definition-{known.fingerprint[:12]}.json" for known in versions[:-1]]
    definitions = zip([*names, "definition.json"], versions, strict=True)
    sites = source.selection.sites
    return {
        "format": verify.FORMAT,
        "study": source.selection.study,
        "registry": newest.study.registry,
        "blinding": "blinded" if treatments is None else "unblinded",
        **({} if treatments is None else {"bundle": treatments.sha256}),
        "lock": None
        if lock is None
        else {"id": lock.id, "scope": lock.scope, "target": lock.target},
        "sites": None if sites is None else sorted(sites),
        "as_of": stamp(source.selection.at),
        "software": {"name": "ecrf", "version": SOFTWARE},
        "fingerprint": newest.fingerprint,
        "definitions": {name: known.fingerprint for name, known in definitions},
        "left_out": [one._asdict() for one in masked],
        "sealed_cases": sorted(votes),
        "ledger": {
            "checkpoint": checkpoint,
            "root": note.split("\n")[2],
            "acts": sum(size for size, _ in mine.values()),
            "heads": {name: list(mine[name]) for name in sorted(mine)},
        },
        "files": {name: pack.files[name]._asdict() for name in sorted(pack.files)},
    }


def readme(source: Source, newest: Version, treatments: Treatments | None = None) -> str:
    """Return the text a person reads first."""
    lock = source.lock
    text = files("reports").joinpath("readme.txt").read_text(encoding="utf-8")
    return ("" if treatments is None else UNBLINDED) + text.format(
        title=newest.study.short_title.en,
        title_zh=newest.study.short_title.zh,
        study=source.selection.study,
        line="=" * 72,
        what="a cut-off" if lock is None else f"lock {lock.id} of {lock.scope} {lock.target}",
        as_of=stamp(source.selection.at),
        fingerprint=newest.fingerprint,
        version=SOFTWARE,
    )
