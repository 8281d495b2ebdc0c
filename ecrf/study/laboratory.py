"""What a study says about its laboratory results: analytes, toxicity grades, safety alerts.

Pure data. `forms.laboratory` looks ranges up, flags and grades by it. Reference ranges are no
part of a definition: they are a laboratory's, have dates, and change while a study runs.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Literal

from ecrf.study.parts import Frozen, Id, Source, Words


class Step(Frozen):
    """Values up to `to`, the end included, have this grade; without `to` all further ones."""

    grade: Literal[1, 2, 3, 4]
    to: Decimal | None = None


class Toxicity(Frozen):
    """One row of a table of grades.

    `side` low counts down from the lower limit of normal, high up from the upper. `scale` says
    what `to` is compared with: the value itself, multiples of the upper limit, or multiples of
    the baseline; the last begins at `start` times the baseline, which counts when `including`.
    `baseline` restricts the row to a baseline within, or beyond, its own limits.
    """

    term: Words
    side: Literal["low", "high"]
    scale: Literal["value", "limit", "baseline"] = "value"
    baseline: Literal["any", "normal", "abnormal"] = "any"
    start: Decimal | None = None
    including: bool = False
    steps: tuple[Step, ...]
    source: Source = "protocol"


class Analyte(Frozen):
    """What a laboratory measures; `item` is where it is answered, such as `lbc.alt`.

    `date` and `laboratory` name the items of its form where those of the study's other
    laboratory forms are called otherwise.
    """

    id: Id
    item: str
    date: Id | None = None
    laboratory: Id | None = None
    toxicity: tuple[Toxicity, ...] = ()

    @property
    def form(self) -> str:
        return self.item.partition(".")[0]

    @property
    def key(self) -> str:
        return self.item.partition(".")[2]


class Panel(Frozen):
    """`library/laboratory.yaml`: the analytes of the shared forms."""

    analytes: tuple[Analyte, ...] = ()


class Alert(Frozen):
    """A check (`form.CHECK`) that raises a safety alert when it begins to hold."""

    check: str
    level: Literal["evaluate", "hold", "stop", "report"] = "evaluate"
    source: Source = "protocol"

    @property
    def form(self) -> str:
        return self.check.partition(".")[0]

    @property
    def rule(self) -> str:
        return self.check.partition(".")[2]


class Laboratory(Frozen):
    """`laboratory.yaml` of a study.

    `date` and `laboratory` are the items of every laboratory form that say when the sample was
    taken and where it was measured. `sex` and `birth` are paths. `baseline` are the visits
    whose result is the baseline of a grade, the first that has one.
    """

    date: Id = "lbdat"
    laboratory: Id = "lab_id"
    sex: str
    birth: str
    baseline: tuple[str, ...] = ()
    analytes: tuple[Analyte, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @cached_property
    def by_form(self) -> Mapping[str, Mapping[str, Analyte]]:
        """The analytes of each form by the key of their item."""
        found: dict[str, dict[str, Analyte]] = {}
        for analyte in self.analytes:
            found.setdefault(analyte.form, {})[analyte.key] = analyte
        return found

    def sample(self, form: str) -> tuple[str, str]:
        """Return the items of a form that say when and where its sample was measured."""
        own = next(iter(self.by_form.get(form, {}).values()), None)
        if own is None:
            return self.date, self.laboratory
        return own.date or self.date, own.laboratory or self.laboratory

    @cached_property
    def by_id(self) -> Mapping[str, Analyte]:
        return {analyte.id: analyte for analyte in self.analytes}

    @cached_property
    def alerts_of(self) -> Mapping[str, Mapping[str, Alert]]:
        """The alerts of each form by the check that raises them."""
        found: dict[str, dict[str, Alert]] = {}
        for alert in self.alerts:
            found.setdefault(alert.form, {})[alert.rule] = alert
        return found

    def with_panel(self, panel: Panel, forms: Mapping[str, object]) -> "Laboratory":
        """Return the part a study uses, with those of the panel it has the forms of."""
        own = {analyte.id for analyte in self.analytes}
        more = (a for a in panel.analytes if a.form in forms and a.id not in own)
        return self.model_copy(update={"analytes": (*self.analytes, *more)})
