"""What follows from answers, as data: which forms are then asked, what is carried out, what
the person is reminded of, and what departs from the protocol. Pure.

An expression of an effect, a prompt or a rule stands in the form named `form`; that of a
condition stands beside every form.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Protocol

from pydantic import Field

from ecrf.study.findings import Spot
from ecrf.study.parts import Expression, Frozen, Id, Words

Formula = Annotated[str, Field(min_length=1, description="An expression.")]
Does = Literal["last dose", "last visit", "end", "leave"]
Severity = Literal["minor", "major", "critical"]


class Condition(Frozen):
    """A form is asked at these visits (none named: at all of its visits) only while `when`.

    While it is certainly true the form is required there, while certainly false it is not
    asked; as long as nobody knows it is shown as conditional.
    """

    form: str
    visits: tuple[str, ...] = ()
    when: Expression


class Effect(Frozen):
    """What a complete entry carries out while `when` is true.

    "last dose" and "last visit" place the visits counted from the date `on`; "end" ends the
    participation, or the screening of somebody who was never randomized, and leaves what is
    counted from the last dose or visit due; after "leave" nothing more is due.
    """

    id: Id
    form: str
    when: Expression
    does: Does
    on: Expression | None = None


class Prompt(Frozen):
    """What a person is led to after saving: the form `opens`, while `when` is true."""

    id: Id
    form: str
    when: Expression
    opens: str
    message: Words


class Clock(Frozen):
    """A time by which something is to be done: until `done` is true the clock runs to `due`."""

    id: Id
    form: str
    due: Expression
    done: Expression
    message: Words


class Departure(Frozen):
    """A deviation that an entry is while `when` is true; withdrawn when it no longer is."""

    id: Id
    form: str
    when: Expression
    category: Id
    severity: Severity = "minor"
    message: Words


class Raised(Frozen):
    """A deviation that no answer makes, such as a stratum that was wrong."""

    category: Id
    severity: Severity = "minor"
    message: Words


class Reported(Frozen):
    """The form on which people report deviations, and its items that lists show."""

    form: str
    category: str
    severity: str
    text: str


class Consequences(Frozen):
    conditions: tuple[Condition, ...] = ()
    effects: tuple[Effect, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    clocks: tuple[Clock, ...] = ()
    deviations: tuple[Departure, ...] = ()
    reported: Reported | None = None
    wrong_stratum: Raised | None = None

    def effects_of(self, form: str) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.effects if effect.form == form)

    def prompts_of(self, form: str) -> tuple[Prompt, ...]:
        return tuple(prompt for prompt in self.prompts if prompt.form == form)

    def clocks_of(self, form: str) -> tuple[Clock, ...]:
        return tuple(clock for clock in self.clocks if clock.form == form)

    def deviations_of(self, form: str) -> tuple[Departure, ...]:
        return tuple(rule for rule in self.deviations if rule.form == form)

    def spotted(self) -> Iterator[tuple[Spot, Expression, str | None]]:
        """Yield every expression with its spot and the form it stands in."""
        for n, condition in enumerate(self.conditions):
            yield ("consequences", "conditions", n, "when"), condition.when, None
        for n, effect in enumerate(self.effects):
            yield ("consequences", "effects", n, "when"), effect.when, effect.form
            if effect.on is not None:
                yield ("consequences", "effects", n, "on"), effect.on, effect.form
        for n, prompt in enumerate(self.prompts):
            yield ("consequences", "prompts", n, "when"), prompt.when, prompt.form
        for n, clock in enumerate(self.clocks):
            yield ("consequences", "clocks", n, "due"), clock.due, clock.form
            yield ("consequences", "clocks", n, "done"), clock.done, clock.form
        for n, rule in enumerate(self.deviations):
            yield ("consequences", "deviations", n, "when"), rule.when, rule.form

    def forms_of(self, form: str) -> Iterator[Expression]:
        """Yield the expressions that stand in `form`."""
        yield from (expression for _, expression, place in self.spotted() if place == form)


class Writes(Protocol):
    """Turns written formulas into expressions; None for one that cannot be read."""

    def expression(self, text: str | None, spot: Spot) -> Expression | None: ...


class AuthoredCondition(Frozen):
    """When a form of the matrix is asked."""

    form: str
    visits: tuple[str, ...] = ()
    when: Formula


class AuthoredEffect(Frozen):
    """What a complete entry carries out."""

    id: Id
    form: str
    when: Formula
    does: Does
    on: Formula | None = None


class AuthoredPrompt(Frozen):
    """What a person is led to after saving."""

    id: Id
    form: str
    when: Formula
    opens: str
    message: Words


class AuthoredClock(Frozen):
    """A time by which something is to be done."""

    id: Id
    form: str
    due: Formula
    done: Formula
    message: Words


class AuthoredDeparture(Frozen):
    """A deviation the system raises and withdraws."""

    id: Id
    form: str
    when: Formula
    category: Id
    severity: Severity = "minor"
    message: Words


class Authored(Frozen):
    """`consequences` in `study.yaml`."""

    conditions: tuple[AuthoredCondition, ...] = ()
    effects: tuple[AuthoredEffect, ...] = ()
    prompts: tuple[AuthoredPrompt, ...] = ()
    clocks: tuple[AuthoredClock, ...] = ()
    deviations: tuple[AuthoredDeparture, ...] = ()
    reported: Reported | None = None
    wrong_stratum: Raised | None = None


def build(written: Authored, pen: Writes) -> Consequences:
    """Return what was written; a part whose formula cannot be read is left out."""
    here = "consequences"
    conditions, effects, prompts, clocks, rules = [], [], [], [], []
    for n, c in enumerate(written.conditions):
        if when := pen.expression(c.when, (here, "conditions", n, "when")):
            conditions.append(Condition(form=c.form, visits=c.visits, when=when))
    for n, e in enumerate(written.effects):
        on = pen.expression(e.on, (here, "effects", n, "on"))
        if when := pen.expression(e.when, (here, "effects", n, "when")):
            effects.append(Effect(id=e.id, form=e.form, when=when, does=e.does, on=on))
    for n, p in enumerate(written.prompts):
        if when := pen.expression(p.when, (here, "prompts", n, "when")):
            prompts.append(Prompt(**{**dict(p), "when": when}))
    for n, k in enumerate(written.clocks):
        due = pen.expression(k.due, (here, "clocks", n, "due"))
        done = pen.expression(k.done, (here, "clocks", n, "done"))
        if due and done:
            clocks.append(Clock(**{**dict(k), "due": due, "done": done}))
    for n, d in enumerate(written.deviations):
        if when := pen.expression(d.when, (here, "deviations", n, "when")):
            rules.append(Departure(**{**dict(d), "when": when}))
    return Consequences(
        conditions=tuple(conditions),
        effects=tuple(effects),
        prompts=tuple(prompts),
        clocks=tuple(clocks),
        deviations=tuple(rules),
        reported=written.reported,
        wrong_stratum=written.wrong_stratum,
    )
