"""Reading a list made elsewhere: a CSV file, checked line by line. Pure.

What is wrong is said with its line, its column and what would be right; no arm that stands in
the file is repeated.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import Message, T
from randomization.arm import Arm
from randomization.ceremony import checks
from randomization.design import Spec

COLUMNS = ("stratum", "position", "arm")
NUMBER = "random number"
MOST_SAID = 20
LONGEST_NUMBER = 12
FILE = "file"


class Line(NamedTuple):
    """A slot as the file has it; `number` is "" when the file brings none."""

    stratum: str
    position: int
    arm: Arm
    number: str


class Weight(NamedTuple):
    """How a stratum keeps the ratio: its slots, how often each arm comes, and how it should."""

    stratum: str
    slots: int
    kept: bool
    counts: tuple[tuple[Arm, int, float], ...]


def read(content: bytes, spec: Spec) -> tuple[Line, ...]:
    """Return the list in its order: strata as the specification has them, positions from 1."""
    names, rows = _table(content)
    lines, wrong = [], list[Message]()
    for at, row in rows:
        found = [*_faults(at, row, names, spec)]
        wrong += found
        if not found:
            cells = dict(zip(names, row, strict=True))
            lines.append(
                Line(cells["stratum"], int(cells["position"]), Arm(cells["arm"]),
                     cells.get(NUMBER, ""))
            )  # fmt: skip
    _refuse(wrong)
    _refuse([*_gaps(lines, spec), *_doubles(lines)])
    place = {stratum: n for n, stratum in enumerate(spec.strata)}
    return tuple(sorted(lines, key=lambda line: (place[line.stratum], line.position)))


def weigh(lines: Sequence[Line], spec: Spec) -> tuple[Weight, ...]:
    """Return how each stratum keeps the ratio. It tells of arms: for the vault's pages only."""
    of: dict[str, list[Arm]] = defaultdict(list)
    for line in lines:
        of[line.stratum].append(line.arm)
    whole = sum(weight for _, weight in spec.ratio)
    return tuple(
        Weight(
            stratum, len(arms), checks.in_ratio(spec.ratio, arms),
            tuple(
                (Arm(arm), Counter(arms)[Arm(arm)], len(arms) * weight / whole)
                for arm, weight in spec.ratio
            ),
        )
        for stratum, arms in of.items()
    )  # fmt: skip


def in_list_order(lines: Sequence[Line]) -> bool:
    """Say whether the random numbers rise with the position and so give the position away."""
    of: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        of[line.stratum].append(line.number)
    return any(numbers[0] and len(numbers) > 2 and sorted(numbers, key=_natural) == numbers
               for numbers in of.values())  # fmt: skip


def _natural(number: str) -> tuple[int, str]:
    return len(number), number


def _table(content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and every row with the number of its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse([T("The file is not UTF-8 text. Save it as “CSV UTF-8”.")])
        raise
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error:
        _refuse([T("The file cannot be read as CSV.")])
        raise
    rows = [(at, row) for at, row in rows if any(row)]
    names = [name.lower().replace("_", " ") for name in (rows[0][1] if rows else [])]
    if sorted(names) not in (sorted(COLUMNS), sorted((*COLUMNS, NUMBER))):
        _refuse([T("Line 1: name the columns {columns}, and, if you have them, {number}.",
                   columns=", ".join(COLUMNS), number=NUMBER)])  # fmt: skip
    if len(rows) < 2:
        _refuse([T("The file has no slots.")])
    return names, rows[1:]


def _faults(at: int, row: list[str], names: list[str], spec: Spec) -> Iterator[Message]:
    if len(row) != len(names):
        yield T("Line {line}: {n} columns are needed, here are {found}.",
                line=at, n=len(names), found=len(row))  # fmt: skip
        return
    cells = dict(zip(names, row, strict=True))
    if cells["stratum"] not in spec.strata:
        yield _fault(at, names, "stratum", T("write one of the study's strata, such as {one}",
                                             one=spec.strata[0]))  # fmt: skip
    position = cells["position"]
    if not (position.isascii() and position.isdecimal() and 0 < int(position[:9]) < 10**8):
        yield _fault(at, names, "position", T("write a whole number from 1"))
    if Arm(cells["arm"]) not in spec.arms:
        arms = ", ".join(arm for arm, _ in spec.ratio)
        yield _fault(at, names, "arm", T("write one of {arms}", arms=arms))
    number = cells.get(NUMBER, "-")
    if not (number.isascii() and number.isprintable() and 0 < len(number) <= LONGEST_NUMBER):
        yield _fault(at, names, NUMBER, T("write 1 to {n} letters and digits",
                                          n=LONGEST_NUMBER))  # fmt: skip


def _fault(at: int, names: list[str], name: str, right: Message) -> Message:
    return T("Line {line}, column {column} ({name}): {right}.",
             line=at, column=names.index(name) + 1, name=name, right=right)  # fmt: skip


def _gaps(lines: Sequence[Line], spec: Spec) -> Iterator[Message]:
    """Yield what is missing: a stratum, a position, or slots at the end."""
    of: dict[str, Counter[int]] = {stratum: Counter() for stratum in spec.strata}
    for line in lines:
        of[line.stratum][line.position] += 1
    for stratum, positions in of.items():
        twice = sorted(position for position, times in positions.items() if times > 1)
        if twice:
            yield T("Stratum {name}: position {n} is there twice.", name=stratum, n=twice[0])
            continue
        missing = next(n for n in range(1, len(positions) + 2) if n not in positions)
        if missing <= len(positions):
            yield T("Stratum {name}: position {n} is missing.", name=stratum, n=missing)
        elif len(positions) < spec.slots:
            yield T("Stratum {name}: {n} slots are needed, here are {found}.",
                    name=stratum, n=spec.slots, found=len(positions))  # fmt: skip


def _doubles(lines: Sequence[Line]) -> Iterator[Message]:
    times = Counter(line.number for line in lines if line.number)
    for number, count in times.items():
        if count > 1:
            yield T("The random number {number} is there {n} times.", number=number, n=count)


def _refuse(wrong: Sequence[Message]) -> None:
    if wrong:
        told = [Problem(FILE, message) for message in wrong[:MOST_SAID]]
        if len(wrong) > MOST_SAID:
            told.append(Problem(FILE, T("And {n} more.", n=len(wrong) - MOST_SAID)))
        raise Unacceptable(T("The list cannot be imported. Nothing was kept."), told)


def numbers_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the random numbers the file brings, () when it brings none."""
    return tuple(line.number for line in lines if line.number)


def by_place(lines: Sequence[Line]) -> Mapping[tuple[str, int], Arm]:
    return {(line.stratum, line.position): line.arm for line in lines}
