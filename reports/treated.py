"""Arms in a package: of a study that is locked and unblinded. They come in as an argument.

The bundle they were taken from travels beside them with its program, so that a stranger can
draw the list anew. `verify.py` holds the lines against the participants of the package.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecrf.study.model import Study
from reports.packing import Packing

TABLE, BUNDLE = "trt.csv", "randomization/bundle.json"
PROGRAM = "randomization/verify_bundle.py"
PUBLISHED = "randomization/publication.txt"
HEADER = ("study", "site", "participant", "random_number", "stratum", "arm", "arm_label")


class Allocated(NamedTuple):
    """A participant's allocation as the bundle tells it."""

    participant: str
    random_number: str
    stratum: str
    arm: str


class Treatments(NamedTuple):
    """Every allocation, the bundle it stands in, the program that checks it, what was filed."""

    allocated: Sequence[Allocated]
    bundle: str
    program: str
    publication: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.bundle.encode()).hexdigest()


def put_arms(
    pack: Packing, study: Study, known: dict[str, tuple[str, str]], given: Treatments
) -> None:
    """Write arms and bundle; `known` are the randomized participants with site and number.

    ValueError when the bundle and the data do not speak of the same participants.
    """
    numbers = {a.participant: a.random_number for a in given.allocated}
    if any(numbers.get(code) != number for code, (_, number) in known.items()):
        raise ValueError("the bundle does not hold every participant of the data")
    pack.table(TABLE, HEADER, _rows(study, known, given))
    pack.text(BUNDLE, given.bundle)
    pack.text(PROGRAM, given.program)
    pack.text(PUBLISHED, given.publication)


def _rows(
    study: Study, known: dict[str, tuple[str, str]], given: Treatments
) -> Iterator[tuple[str, ...]]:
    labels = {arm.id: arm.label.en for arm in study.arms}
    arms = {a.participant: a for a in given.allocated}
    for code, (site, number) in known.items():
        one = arms[code]
        yield study.id, site, code, number, one.stratum, one.arm, labels.get(one.arm, one.arm)


def said(text: str) -> Iterator[tuple[str, str]]:
    """Yield participant and arm of each line of the table."""
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield row["participant"], row["arm"].removeprefix("'")
