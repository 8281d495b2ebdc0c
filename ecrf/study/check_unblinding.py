"""Could an item, a choice, a message or an expression tell the treatment? Warnings. Pure.

A masked item is not remarked on, nor what the study accepts with a reason: at the item
(`unblinding: {accepted: …}`) or in `study.yaml` (`unblinding: [{where: […], why: …}]`).
ICH E6(R3) 4.1.3.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.findings import Problem, Spot
from ecrf.study.formulas import Formula, formulas, placed
from ecrf.study.model import Form, Grid, ItemType, Question, Study, Words
from ecrf.study.spelling import suggest
from ecrf.study.syntax import Tree, literals, paths
from ecrf.study.unblinding import Vocabulary, named, names_of

ALLOCATED = ("random_number", "kits")
"""What the vault gave out: it may be shown and compared, but its digits may not be read."""


Says = Callable[[str], Message]


class Place(NamedTuple):
    """A place of a study with the texts that stand there, and the names it is accepted by."""

    spot: Spot
    names: tuple[str, ...]
    texts: tuple[Words, ...]
    question: Question | None = None


class Search:
    """One search of a study with one vocabulary."""

    def __init__(self, study: Study, vocabulary: Vocabulary) -> None:
        self.study, self.vocabulary = study, vocabulary
        self.accepted = frozenset(name for one in study.unblinding for name in one.where)

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The ids of the arms and what in their labels names a treatment."""
        found = [arm.id for arm in self.study.arms]
        for arm in self.study.arms:
            for label in (arm.label.en, arm.label.zh):
                found += names_of(label, self.vocabulary.common)
        return tuple(dict.fromkeys(found))

    @cached_property
    def levels(self) -> tuple[str, ...]:
        given = [text for arm in self.study.arms for text in (arm.label.en, arm.label.zh)]
        supply = self.study.supply
        return self.vocabulary.levels_of([*given, *([supply.product.en] if supply else [])])

    def open(self, names: tuple[str, ...]) -> bool:
        return not self.accepted.intersection(names)

    def problems(self) -> Iterator[Problem]:
        for place in self.places():
            if self.open(place.names):
                yield from self.worded(place)
        for formula in formulas(self.study):
            if self.open(_names_of(formula, self.study)):
                yield from self.computed(formula)
        yield from self.unknown()

    def places(self) -> Iterator[Place]:
        """Yield what people read, without the arms' own labels and the study's title."""
        for form in self.study.forms.values():
            here: Spot = ("forms", form.id)
            texts = tuple(text for text in (form.title, form.intro) if text)
            yield Place(here, (form.id,), texts)
            for spot, _, question, grid in placed(form):
                if not _silent(question):
                    names = question_names(form, question, grid)
                    yield Place(spot, names, self.asked(question, grid), question)
            for n, check in enumerate(form.checks):
                names = (form.id, check.id, f"{form.id}.{check.item}")
                yield Place((*here, "checks", n, "message"), names, (check.message,))
        for n, plan in enumerate(self.study.visits):
            yield Place(("visits", n), (plan.id,), (plan.label,))

    def asked(self, question: Question, grid: Grid | None) -> tuple[Words, ...]:
        """Return what is read where a question is asked: its words, choices and rows."""
        listed = self.study.codelists.get(question.codes or "")
        codes = [code.label for code in listed.codes] if listed else []
        rows = [row.label for row in grid.rows] if grid else []
        own = [text for text in (question.label, question.hint) if text]
        return (*own, *codes, *rows)

    def worded(self, place: Place) -> Iterator[Problem]:
        """Yield one warning for each kind of word that stands at the place."""
        for words, says in self.kinds(place):
            found = next(
                (word for t in place.texts if (word := _named(words, t)) is not None), None
            )
            if found is not None:
                yield Problem(place.spot, says(found), "warning")

    def kinds(self, place: Place) -> Iterator[tuple[tuple[str, ...], Says]]:
        known = self.vocabulary
        yield self.arms, _arm
        if place.question is None:
            return
        yield self.levels, _level
        yield known.pack, _pack
        yield known.look, _look
        yield known.guess, _guess
        if place.question.type is ItemType.TEXT and place.question.derive is None:
            yield known.free, _free

    def computed(self, formula: Formula) -> Iterator[Problem]:
        if formula.question is not None and _silent(formula.question):
            return
        tree = formula.expression.tree
        arms = {arm.id for arm in self.study.arms}
        for literal in sorted(arms & literals(tree)):
            message = T("{value} is the id of an arm; this could depend on it.", value=literal)
            yield Problem(formula.spot, message, "warning")
        for name in sorted(paths(tree).intersection(ALLOCATED)):
            if _reads_digits(tree, name):
                message = T("This depends on what is in {name}, not on whether it is there.",
                            name=name)  # fmt: skip
                yield Problem(formula.spot, message, "warning")

    def unknown(self) -> Iterator[Problem]:
        """What is accepted must be there."""
        known = {*self.study.visit, *self.study.forms, *self.study.forms_to_come}
        for form in self.study.forms.values():
            known.update(check.id for check in form.checks)
            known.update(n for _, _, q, g in placed(form) for n in question_names(form, q, g))
        for n, one in enumerate(self.study.unblinding):
            for at, name in enumerate(one.where):
                if name not in known and not self.study.forms_to_come:
                    message = T("The study has nothing that is called {name}.", name=name)
                    yield Problem(("unblinding", n, "where", at), suggest(message, name, known))


def problems(study: Study, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield a warning for everything that could unblind; nothing in an open-label study."""
    if study.blinded:
        yield from Search(study, vocabulary).problems()


def question_names(form: Form, question: Question, grid: Grid | None) -> tuple[str, ...]:
    """Return the names under which a question may be accepted."""
    if grid is None:
        return (form.id, f"{form.id}.{question.id}")
    whole = f"{form.id}.{grid.id}"
    return (form.id, whole, f"{whole}.{question.id}")


def _names_of(formula: Formula, study: Study) -> tuple[str, ...]:
    match formula.spot:
        case ("forms", form, "checks", int() as n, *_) if form in study.forms:
            return (str(form), study.forms[str(form)].checks[n].id)
    if formula.here is None or formula.question is None:
        return ()
    return question_names(formula.here, formula.question, formula.grid)


def _silent(question: Question) -> bool:
    return question.blinding == "masked" or question.unblinding is not None


def _named(words: tuple[str, ...], text: Words) -> str | None:
    return named(words, text.en) or named(words, text.zh)


def _reads_digits(tree: Tree, name: str) -> bool:
    """Say whether a tree reckons with the name or compares it with something written down."""
    match tree:
        case ("call", "len" | "given" | "blank", *_):
            return False
        case ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in", *sides) if ("item", name) in sides:
            return any(_written(side) for side in sides)
        case ("+" | "-" | "*" | "/" | "negative", *sides) if ("item", name) in sides:
            return True
        case ("call", "number", *sides) if ("item", name) in sides:
            return True
        case (_, *parts):
            return any(_reads_digits(part, name) for part in parts if isinstance(part, tuple))
    return False


def _written(tree: object) -> bool:
    return isinstance(tree, tuple) and tree[0] in ("value", "number", "options")


def _arm(word: str) -> Message:
    return T("“{word}” names a treatment; it could unblind.", word=word)


def _level(word: str) -> Message:
    return T("“{word}” tells how much of the treatment is taken; it could unblind.", word=word)


def _pack(word: str) -> Message:
    return T("“{word}” may differ between the packs of the arms; it could unblind.", word=word)


def _look(word: str) -> Message:
    return T("“{word}” asks what the treatment is like; it could unblind.", word=word)


def _guess(word: str) -> Message:
    return T("“{word}” asks for a guess of the treatment; ask it in a questionnaire about the "
             "blind alone.", word=word)  # fmt: skip


def _free(word: str) -> Message:
    return T("Free text about “{word}” may name the treatment; it could unblind.", word=word)
