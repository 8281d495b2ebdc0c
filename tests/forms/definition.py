"""A small study to try forms with: vital signs, a chemistry, a grid of organs, a log."""

from decimal import Decimal

from ecrf.study.expr import parse
from ecrf.study.model import (
    Arm,
    Check,
    Code,
    CodeList,
    Expression,
    Form,
    Grid,
    Item,
    Limits,
    Question,
    Row,
    Section,
    Study,
    Unit,
    VisitPlan,
    Words,
)

WEIGHTED = "row.score * (2 if row.score >= 1 and row.urgent == 'Y' else 1)"
ORGANS = ("PANCREAS", "SUBMAND", "LN", "KIDNEY")


def words(en):
    return Words(en=en, zh=f"{en}（中）")


def formula(text):
    return Expression(text=text, tree=parse(text))


def _with_formulas(parts):
    for name in ("show", "derive", "require"):
        if isinstance(parts.get(name), str):
            parts[name] = formula(parts[name])
    if "units" in parts:
        units = parts["units"].items()
        parts["units"] = tuple(Unit(name=name, factor=Decimal(f)) for name, f in units)
    for side in ("hard", "soft"):
        if side in parts:
            low, high = parts.pop(side)
            limits = parts.get("limits", Limits())
            pair = (Decimal(low), Decimal(high))
            parts["limits"] = limits.model_copy(update={side: pair})
    return parts


def item(name, kind, **parts):
    label = words(parts.pop("label", name.capitalize()))
    return Item(id=name, type=kind, label=label, **_with_formulas(parts))


def column(name, kind, **parts):
    return Question(id=name, type=kind, label=words(name.capitalize()), **_with_formulas(parts))


def check(name, on, when, message="Please check.", **parts):
    return Check(id=name, item=on, when=formula(when), message=words(message), **parts)


def form(name, *members, checks=(), **parts):
    return Form(
        id=name,
        title=words(name.upper()),
        sections=(Section(members=members),),
        checks=checks,
        **parts,
    )


def organs(rows=ORGANS):
    return Grid(
        id="organs",
        label=words("Organs"),
        rows=(
            *(Row(id=row, label=words(row.capitalize())) for row in rows),
            Row(id="CONST", label=words("Constitutional"), closed=("damage",)),
        ),
        columns=(
            column("score", "choice", codes="score", require=True),
            column("urgent", "yes/no", show="row.score >= 1", require="row.score >= 1"),
            column("damage", "yes/no", require=True),
            column("weight", "integer", derive=WEIGHTED),
            column("location", "text", max_length=20),
        ),
    )


def ri(rows=ORGANS):
    return form(
        "ri",
        item("ri_total", "integer", derive="sum(row.weight for row in organs)"),
        item("ri_active_n", "integer", derive="count(row.score >= 1 for row in organs)"),
        item("ri_damage_n", "integer", derive="count(row.damage == 'Y' for row in organs)"),
        organs(rows),
        item("ri_max_organ", "integer", derive="max(row.weight for row in organs)"),
        item("rise", "yes/no", derive="ri_total > previous.ri.ri_total"),
        checks=(
            check("RI01", "ri_total", "ri_max_organ >= 2"),
            check("RI02", "organs.location", "row.score == 3 and blank(row.location)"),
        ),
    )


DM = form(
    "dm",
    item("birth", "partial date", sdtm="DM.BRTHDTC"),
    item("sex", "choice", codes="sex", label="Sex"),
    item("age", "integer", derive="years(birth, visit_date)"),
)
VS = form(
    "vs",
    item("intro", "note"),
    item("vs_date", "date"),
    item("sbp", "integer", units={"mmHg": "1"}, hard=(50, 300), soft=(90, 180), require=True),
    item("dbp", "integer", units={"mmHg": "1"}, hard=(20, 200)),
    item("weight", "decimal", units={"kg": "1", "lb": "0.45359237"}, places=1, missing=("ND",)),
    item("height", "decimal", units={"cm": "1"}, show="visit == 'SCR'"),
    item("bmi", "decimal", derive="weight * 10000 / pow(SCR.vs.height, 2)", places=2),
    item("smoker", "yes/no"),
    item("packs", "integer", show="smoker", require=True),
    item("many", "yes/no", derive="heavy and packs > 20"),
    item("heavy", "yes/no", derive="packs > 10"),
    checks=(
        check("VS01", "sbp", "sbp <= dbp", severity="hard", message="Systolic over diastolic."),
        check("VS02", "weight", "abs(weight - previous.vs.weight) > 5"),
    ),
)
LBC = form(
    "lbc",
    item("lb_date", "date"),
    item(
        "creat",
        "decimal",
        label="Creatinine",
        units={"µmol/L": "1", "mg/dL": "88.4"},
        hard=(15, 2500),
        soft=(30, 400),
    ),
    item(
        "egfr",
        "decimal",
        places=2,
        hard=(1, 300),
        derive=(
            "175 * pow(creat / 88.4, -1.154) * pow(years(SCR.dm.birth, lb_date), -0.203)"
            " * (0.742 if SCR.dm.sex == 'F' else 1)"
        ),
    ),
)
RELF = form(
    "relf",
    item("onset", "partial date", unknown="year"),
    item("organ", "choices", codes="organ"),
    item("opinion", "choice", codes="score"),
    item("seen_at", "time"),
    item("told_at", "datetime"),
    item("pga", "vas"),
    item("first", "yes/no", derive="count(True for r in all.relf) == 1"),
    repeating=True,
)


def codelist(name, **codes):
    options = tuple(Code(value=v, label=words(label)) for v, label in codes.items())
    return CodeList(id=name, codes=options)


LISTS = {
    "sex": codelist("sex", M="Male", F="Female"),
    "organ": codelist("organ", AIP="Pancreatitis", LN="Nodes", RPF="Retroperitoneum"),
    "score": CodeList(
        id="score", codes=tuple(Code(value=str(n), label=words(f"Score {n}")) for n in range(4))
    ),
}


def study(*forms):
    forms = forms or (DM, VS, LBC, ri(), RELF)
    return Study(
        id="trial",
        version="1",
        title=words("A trial"),
        short_title=words("Trial"),
        registry="NCT00000000",
        planned=10,
        masking="double",
        arms=(Arm(id="A", label=words("A"), type="placebo"),),
        sites=(),
        params={"limit": "30"},
        codelists=LISTS,
        visits=tuple(
            VisitPlan(id=name, label=words(name), repeating=name == "UNS")
            for name in ("SCR", "BL", "W4", "UNS")
        ),
        matrix=tuple(
            {"form": f.id, "visit": v, "need": "required"}
            for f in forms
            for v in ("SCR", "BL", "W4")
        ),
        forms={f.id: f for f in forms},
    )
