"""What a study is: frozen models of its definition, as `read` builds them from YAML. Pure.

Every text is `Words` in both languages. An expression is kept as its text and its parsed tree.
`source` says where a statement comes from when it is not the protocol itself: "unverified" is
to be confirmed by a medical reviewer, "design choice" fills a silence of the protocol.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecrf.study import reviewing
from ecrf.study.adjudication import Adjudication
from ecrf.study.allocating import Caps, ConsentVersions
from ecrf.study.asking import QueryWords
from ecrf.study.breaking import CodeBreak
from ecrf.study.closed import Closed
from ecrf.study.consequences import Consequences
from ecrf.study.files import FileRule
from ecrf.study.laboratory import Laboratory
from ecrf.study.parts import Expression, Frozen, Id, Source, Words
from ecrf.study.signing import Signing
from ecrf.study.stocking import Label, Preparation, Stocking
from ecrf.study.unblinding import Accepted, AcceptedHere

# What others take from here, too.
__all__ = ["Expression", "Frozen", "Id", "Source", "Words"]


BY_ALIAS = ConfigDict(
    frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
)


class ItemType(StrEnum):
    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    PARTIAL_DATE = "partial date"
    TIME = "time"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes/no"
    VAS = "vas"
    NOTE = "note"
    FILE = "file"


class Code(Frozen):
    """One option of a code list; `value` is stored and never translated."""

    value: str
    label: Words
    hint: Words | None = None
    source: Source = "protocol"


class CodeList(Frozen):
    id: Id
    codes: tuple[Code, ...]

    def label(self, value: str) -> Words | None:
        return next((code.label for code in self.codes if code.value == value), None)


class Unit(Frozen):
    """A unit an answer may be given in; `canonical = given * factor + offset`, exactly."""

    name: str
    factor: Decimal = Decimal(1)


class Limits(Frozen):
    """Bounds in the canonical unit, both ends allowed. Hard refuses, soft makes a finding."""

    hard: tuple[Decimal, Decimal] | None = None
    soft: tuple[Decimal, Decimal] | None = None


class Question(Frozen):
    """What an item and a column of a grid have in common.

    `require` True or an expression: a blank answer is a finding while it holds.
    `show`: the question applies only while the expression is true.
    `derive`: the value is computed and cannot be typed.
    `places`: most decimal places kept, typed values with more are refused, derived ones are
    rounded half up.
    `refers`: the answer is the number of an entry of this repeating form; the page leads there.
    `unknown`: the smallest part of a partial date that may be unknown may be "day", "month" or
    "year".
    `file`: which files answer it, when it is answered by one.
    `unblinding`: why it may be asked although it could tell the treatment.
    """

    id: Id
    type: ItemType
    label: Words
    hint: Words | None = None
    codes: str | None = None
    units: tuple[Unit, ...] = ()
    limits: Limits = Limits()
    places: int | None = None
    max_length: int = 200
    unknown: Literal["day", "month", "year"] | None = None
    missing: tuple[str, ...] = ()
    require: bool | Expression = False
    show: Expression | None = None
    derive: Expression | None = None
    blinding: Literal["open", "masked"] = "open"
    unblinding: AcceptedHere | None = None
    refers: str | None = None
    sdtm: str | None = None
    source: Source = "protocol"
    note: Words | None = None
    file: FileRule | None = None

    @property
    def unit(self) -> str | None:
        """The canonical unit: the first named."""
        return self.units[0].name if self.units else None


class Item(Question):
    """One question of a form."""


class Row(Frozen):
    """One row of a grid; `closed` names the columns it has no cell for."""

    id: Id
    label: Words
    hint: Words | None = None
    closed: tuple[str, ...] = ()
    source: Source = "protocol"


class Grid(Frozen):
    """Rows times columns, one construct: the cell of row R and column c is item `R.c`.

    In a column's expressions `row.score` is another cell of the same row.
    """

    id: Id
    label: Words
    rows: tuple[Row, ...]
    columns: tuple[Question, ...]
    fill: Mapping[str, str] = {}
    fill_label: Words | None = None


class Section(Frozen):
    """A titled part of a form's page."""

    title: Words | None = None
    intro: Words | None = None
    members: tuple[Item | Grid, ...]


Case = Mapping[str, str]
"""Answers by path, as `ecrf.study.cases` tries a check with them."""


class Check(Frozen):
    """A rule over answers. While `when` is true it is a finding (soft) or a refusal (hard).

    `item` is where it is shown. With `GRID.column` the rule is asked for every row that has the
    column, and in `when` a `row.…` is a cell of that row. `pass_` and `fail` are cases: it does
    not fire on the one, and does on the other.
    """

    id: Id
    version: int = 1
    item: str
    when: Expression
    message: Words
    severity: Literal["soft", "hard"] = "soft"
    source: Source = "protocol"
    pass_: tuple[Case, ...] = Field(default=(), alias="pass")
    fail: tuple[Case, ...] = ()

    model_config = BY_ALIAS


class Cell(Frozen):
    """One answerable place of a form: an item, or a cell of a grid with its row."""

    key: str
    question: Question
    row: Row | None = None
    grid: Grid | None = None


class Form(Frozen):
    """One page of the CRF. `cells` is every answerable place, in page order, by key.

    `double` says that two people enter it without seeing each other's answers (`forms.double`).
    """

    id: Id
    title: Words
    intro: Words | None = None
    repeating: bool = False
    double: bool = False
    signed: Words | None = None
    sections: tuple[Section, ...]
    checks: tuple[Check, ...] = ()
    source: Source = "protocol"

    def members(self) -> Iterator[Item | Grid]:
        for section in self.sections:
            yield from section.members

    @cached_property
    def grids(self) -> Mapping[str, Grid]:
        return {member.id: member for member in self.members() if isinstance(member, Grid)}

    @cached_property
    def closed(self) -> Mapping[str, tuple[Row, Question]]:
        """The row and column of every place its grids do not have, by the key it would have."""
        return {
            f"{row.id}.{column.id}": (row, column)
            for grid in self.grids.values()
            for row in grid.rows
            for column in grid.columns
            if column.id in row.closed
        }

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        found: dict[str, Cell] = {}
        for member in self.members():
            if isinstance(member, Grid):
                for row in member.rows:
                    for column in member.columns:
                        if column.id not in row.closed:
                            key = f"{row.id}.{column.id}"
                            found[key] = Cell(key=key, question=column, row=row, grid=member)
            else:
                found[member.id] = Cell(key=member.id, question=member)
        return found


class VisitKind(StrEnum):
    PLANNED = "planned"
    UNSCHEDULED = "unscheduled"
    EVENT = "event"
    LOG = "log"


class VisitPlan(Frozen):
    """A visit of the schedule.

    Planned: `day` is the target study day counted from the anchor (Day 1, no Day 0), the window
    runs from `day - before` to `day + after`. Counted from another anchor, `day` is that many
    days after it (28: four weeks later) and `months` that many months after it.
    Repeating visits get the ids UNS-1, UNS-2, ….
    `within` is the number of days after what triggers an event visit.
    """

    id: Id
    label: Words
    kind: VisitKind = VisitKind.PLANNED
    anchor: Literal["randomization", "last dose", "last visit"] = "randomization"
    day: int | None = None
    months: int | None = None
    before: int = 0
    after: int = 0
    within: int | None = None
    optional: bool = False
    repeating: bool = False
    source: Source = "protocol"


Need = Literal["required", "conditional", "optional", "event"]


class Assessment(Frozen):
    """One cell of the assessment matrix: `form` at `visit`."""

    form: str
    visit: str
    need: Need


class Arm(Frozen):
    """A treatment. `imp` is what every pack is labelled with; never differs between arms."""

    id: Id
    label: Words
    type: Literal["active", "placebo", "control"]


class Factor(Frozen):
    """A stratification factor: the site, or an expression over answers giving a level."""

    id: Id
    label: Words
    from_: Literal["site"] | Expression = Field(alias="from")
    levels: tuple[Code, ...] = ()

    model_config = BY_ALIAS


class Randomization(Frozen):
    """How participants are allocated, as far as the blinded side may know.

    Block sizes and the seed are not here: they live in the vault only (SPIRIT 16a).
    `eligible` must be true on the signed form `form`; `consented` gives the consent date.
    """

    ratio: Mapping[str, int]
    factors: tuple[Factor, ...] = ()
    visit: str
    form: str
    eligible: Expression
    slots_per_stratum: int
    confirm: Words
    caps: Caps = Caps()


class Supply(Frozen):
    """Kits: what a pack is called for everyone, and how many are dispensed at which visit.

    With `second_person` another person checks number and participant before a kit is given.
    """

    product: Words
    units_per_kit: int
    units_per_day: int
    dispense: Mapping[str, int]
    stocking: Stocking = Stocking()
    label: Label | None = None
    second_person: bool = False
    preparation: Preparation | None = None


class Endpoint(Frozen):
    id: Id
    label: Words
    type: str
    derive: Expression | None = None


class Site(Frozen):
    """A site named in the definition; its `code` begins every participant's code."""

    code: Annotated[str, Field(pattern=r"^[A-Z]{2,8}$")]
    name: Words
    zone: str = "Asia/Shanghai"


class Study(Frozen):
    """A whole definition. `forms_to_come` are named by the schedule but not defined yet."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
    version: str
    title: Words
    short_title: Words
    registry: str
    planned: int
    masking: Literal["none", "single", "double", "triple", "quadruple"]
    masked: tuple[str, ...] = ()
    unblinded_label: Words | None = None
    arms: tuple[Arm, ...]
    sites: tuple[Site, ...]
    params: Mapping[str, str] = {}
    codelists: Mapping[str, CodeList]
    missing_reasons: str = "missing"
    visits: tuple[VisitPlan, ...]
    matrix: tuple[Assessment, ...]
    forms: Mapping[str, Form]
    forms_to_come: Mapping[str, Words] = {}
    randomization: Randomization | None = None
    supply: Supply | None = None
    endpoints: tuple[Endpoint, ...] = ()
    annotations: tuple[Words, ...] = ()
    consent: Expression | None = None
    adjudication: Adjudication | None = None
    closed: Closed | None = None
    consequences: Consequences = Consequences()
    laboratory: Laboratory | None = None
    verification: reviewing.Verification = reviewing.Verification()
    milestones: tuple[reviewing.Milestone, ...] = ()
    query_words: QueryWords = QueryWords()
    signing: Signing = Signing()
    consent_versions: ConsentVersions | None = None
    code_break: CodeBreak = CodeBreak()
    unblinding: tuple[Accepted, ...] = ()

    @property
    def blinded(self) -> bool:
        return self.masking != "none"

    @cached_property
    def visit(self) -> Mapping[str, VisitPlan]:
        return {plan.id: plan for plan in self.visits}

    def forms_at(self, visit: str) -> tuple[Assessment, ...]:
        """Return what is planned at the visit `visit` (without its repeat number), in order."""
        return self._planned.get(visit, ())

    @cached_property
    def _planned(self) -> Mapping[str, tuple[Assessment, ...]]:
        visits = dict.fromkeys(a.visit for a in self.matrix)
        return {visit: tuple(a for a in self.matrix if a.visit == visit) for visit in visits}
