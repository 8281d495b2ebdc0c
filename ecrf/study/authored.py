"""The YAML a study is written in, file by file. `build` turns it into `ecrf.study.model`.

What is written the same way as it is kept is taken from the model. `schema` describes it all
for editors.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    RootModel,
    Strict,
    Tag,
)
from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticCustomError

from ecrf.study import laboratory, model, reviewing
from ecrf.study.adjudication import Written as WrittenAdjudication
from ecrf.study.allocating import Caps, ConsentVersions
from ecrf.study.asking import QueryWords
from ecrf.study.breaking import CodeBreak
from ecrf.study.closed import Closed
from ecrf.study.consequences import Authored as WrittenConsequences
from ecrf.study.files import FileRule
from ecrf.study.model import Frozen, Id, Source, Words
from ecrf.study.signing import Signing
from ecrf.study.stocking import Label, Preparation, Stocking
from ecrf.study.unblinding import Accepted, AcceptedHere, Vocabulary

Count = Annotated[int, Strict()]
Truth = Annotated[bool, Strict()]
Letter = Literal["R", "C", "o", "E"]

NEEDS: dict[Letter, model.Need] = {
    "R": "required",
    "C": "conditional",
    "o": "optional",
    "E": "event",
}


def _truth_or_text(value: object) -> object:
    if isinstance(value, bool | str):
        return value
    raise PydanticCustomError("truth_or_formula", "neither true nor false nor an expression")


Formula = Annotated[str, Field(min_length=1, description="An expression.")]
Rule = Annotated[bool | Formula, BeforeValidator(_truth_or_text)]


class Question(Frozen):
    """What an item and a column of a grid have in common."""

    id: Id
    type: model.ItemType
    label: Words
    hint: Words | None = None
    codes: Id | None = None
    units: Annotated[
        dict[str, Decimal],
        Field(description="The canonical unit first: canonical = given × factor."),
    ] = {}
    limits: model.Limits = model.Limits()
    places: Count | None = None
    max_length: Count = 200
    unknown: Literal["day", "month", "year"] | None = None
    missing: tuple[str, ...] = ()
    require: Rule = False
    show: Formula | None = None
    derive: Formula | None = None
    blinding: Literal["open", "masked"] = "open"
    unblinding: AcceptedHere | None = None
    refers: Id | None = None
    sdtm: str | None = None
    source: Source = "protocol"
    note: Words | None = None
    file: FileRule | None = None


class Item(Question):
    """One question of a form."""


class Grid(Frozen):
    """Rows times columns."""

    grid: Id
    label: Words
    rows: tuple[model.Row, ...]
    columns: tuple[Question, ...]
    fill: dict[str, str] = {}
    fill_label: Words | None = None


def _kind(member: object) -> str:
    if isinstance(member, dict):
        return "grid" if "grid" in member else "item"
    return "grid" if isinstance(member, Grid) else "item"


Member = Annotated[
    Annotated[Item, Tag("item")] | Annotated[Grid, Tag("grid")], Discriminator(_kind)
]


class Section(Frozen):
    title: Words | None = None
    intro: Words | None = None
    items: tuple[Member, ...]


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


Cases = Annotated[
    tuple[dict[str, str], ...],
    BeforeValidator(_as_list, json_schema_input_type=dict[str, str] | list[dict[str, str]]),
]


class Check(Frozen):
    id: Id
    version: Count = 1
    item: str
    when: Formula
    message: Words
    severity: Literal["soft", "hard"] = "soft"
    source: Source = "protocol"
    pass_: Annotated[Cases, Field(alias="pass")] = ()
    fail: Cases = ()


class Form(Frozen):
    """`forms/<id>.yaml`: a form in full."""

    form: Id
    title: Words
    intro: Words | None = None
    repeating: Truth = False
    double: Truth = False
    signed: Words | None = None
    sections: tuple[Section, ...]
    checks: tuple[Check, ...] = ()
    source: Source = "protocol"


class Extension(Frozen):
    """`forms/<id>.yaml`: a form of the library with what this study has otherwise."""

    extend: Id
    form: Id | None = None
    title: Words | None = None
    intro: Words | None = None
    repeating: Truth | None = None
    double: Truth | None = None
    signed: Words | None = None
    source: Source | None = None
    add: tuple[Section, ...] = ()
    drop: tuple[str, ...] = ()
    change: dict[str, dict[str, Any]] = {}
    checks: tuple[Check, ...] = ()


class Codes(RootModel[dict[Id, tuple[model.Code, ...]]]):
    """`codes.yaml`: code lists by id."""


class Visit(model.VisitPlan):
    """A visit of the schedule."""

    day: Count | None = None
    months: Count | None = None
    before: Count = 0
    after: Count = 0
    within: Count | None = None
    optional: Truth = False
    repeating: Truth = False


class Schedule(Frozen):
    """`schedule.yaml`: the visits, and which form is due at which."""

    visits: tuple[Visit, ...]
    matrix: dict[str, dict[str, Letter]] = {}


class Factor(Frozen):
    id: Id
    label: Words
    from_: Annotated[Formula, Field(alias="from", description="site, or an expression.")]
    levels: tuple[model.Code, ...] = ()


class Randomization(Frozen):
    ratio: dict[str, Count]
    factors: tuple[Factor, ...] = ()
    visit: str
    form: str
    eligible: Formula
    slots_per_stratum: Count
    confirm: Words
    caps: Caps = Caps()


class Supply(Frozen):
    product: Words
    units_per_kit: Count
    units_per_day: Count
    dispense: dict[str, Count]
    stocking: Stocking = Stocking()
    label: Label | None = None
    second_person: bool = False
    preparation: Preparation | None = None


class Endpoint(Frozen):
    id: Id
    label: Words
    type: str
    derive: Formula | None = None


class Study(Frozen):
    """`study.yaml`: who, what and how; the forms in the order they are listed."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
    version: Annotated[str, Field(min_length=1, max_length=40)]
    title: Words
    short_title: Words
    registry: str
    planned: Count
    masking: Literal["none", "single", "double", "triple", "quadruple"]
    masked: tuple[str, ...] = ()
    unblinded_label: Words | None = None
    arms: tuple[model.Arm, ...]
    sites: tuple[model.Site, ...]
    params: dict[str, str] = {}
    missing_reasons: str = "missing"
    forms: tuple[str, ...]
    forms_to_come: dict[str, Words] = {}
    consent: Formula | None = None
    randomization: Randomization | None = None
    supply: Supply | None = None
    adjudication: WrittenAdjudication | None = None
    closed: Closed | None = None
    consequences: WrittenConsequences = WrittenConsequences()
    endpoints: tuple[Endpoint, ...] = ()
    annotations: tuple[Words, ...] = ()
    verification: reviewing.Verification = reviewing.Verification()
    milestones: tuple[reviewing.Milestone, ...] = ()
    query_words: QueryWords = QueryWords()
    signing: Signing = Signing()
    consent_versions: ConsentVersions | None = None
    code_break: CodeBreak = CodeBreak()
    unblinding: tuple[Accepted, ...] = ()


FILES: dict[str, type[Frozen] | type[Codes]] = {
    "study.yaml": Study,
    "schedule.yaml": Schedule,
    "codes.yaml": Codes,
    "laboratory.yaml": laboratory.Laboratory,
    "library/laboratory.yaml": laboratory.Panel,
    "library/unblinding.yaml": Vocabulary,
    "forms/*.yaml": Form,
    "forms/*.yaml with extend": Extension,
}


def schema() -> dict[str, object]:
    """Return a JSON Schema whose `properties` describe each kind of file."""
    by_model, whole = models_json_schema(
        [(kind, "validation") for kind in FILES.values()], title="A study in YAML"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "properties": {file: by_model[(kind, "validation")] for file, kind in FILES.items()},
    }
