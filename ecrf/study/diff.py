"""What changes between two definitions of a study, in plain words. Pure."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.study.things import Fact, Key, Thing, things

Impact = Literal["wording", "plan", "answers", "signatures"]
"""What a difference touches: only words or the study's own data, what is due and when, what
answers are worth, or what signing means."""

WORDING = frozenset({
    "annotations", "code", "confirm", "endpoint", "fill", "fill_label", "fail", "hint", "intro",
    "label", "message", "note", "pass_", "registry", "sdtm", "short_title", "source", "text",
    "title", "unblinding", "version", "words",
})  # fmt: skip
PLAN = frozenset({"visit", "visits", "matrix", "consequence", "condition", "supply"})
WORTH = frozenset({
    "item", "grid", "form", "section", "check", "list", "laboratory", "alert",
})  # fmt: skip


class Difference(NamedTuple):
    """One difference in words, and the form it concerns, if it concerns one.

    `thing` is the key of what differs (`ecrf.study.things`), `fact` what about it, empty for
    the whole of it or the order of its parts.
    """

    form: str | None
    message: Message
    thing: Key = ()
    fact: Key = ()
    whole: bool = False

    @property
    def impact(self) -> Impact:
        """Say what the difference touches."""
        kind = self.thing[0] if self.thing else ""
        about = self.fact[0] if self.fact else ""
        if about == "signed":
            return "signatures"
        if about in WORDING or (not about and not self.whole):
            return "wording"
        if about == "params":
            return "answers"
        if kind in PLAN:
            return "plan"
        return "answers" if kind in WORTH else "wording"


def diff(old: Study, new: Study) -> tuple[Difference, ...]:
    """Return the differences in the order of the new definition, what is gone at the end.

    What is inside an added or removed form or grid is not listed again.
    """
    before, after = things(old), things(new)
    return tuple(_differences(before, after))


def _differences(before: dict[Key, Thing], after: dict[Key, Thing]) -> Iterator[Difference]:
    for key, thing in after.items():
        if key in before:
            yield from _changed(key, before[key], thing)
        elif not _inside(key, after.keys() - before.keys()):
            message = T("{thing}: added", thing=thing.name)
            yield Difference(thing.form, message, key, whole=True)
    for key, thing in before.items():
        if key not in after and not _inside(key, before.keys() - after.keys()):
            message = T("{thing}: removed", thing=thing.name)
            yield Difference(thing.form, message, key, whole=True)


def _inside(key: Key, whole: set[Key]) -> bool:
    """Say whether the thing is part of another one that came or went as a whole."""
    kind, *names = key
    if kind in ("item", "grid", "section", "check") and ("form", names[0]) in whole:
        return True
    return any(key[:size] in whole for size in range(2, len(key)))


def _changed(thing: Key, old: Thing, new: Thing) -> Iterator[Difference]:
    for key in (*new.facts, *(key for key in old.facts if key not in new.facts)):
        was, now = old.facts.get(key), new.facts.get(key)
        if was is None or now is None or was.value != now.value:
            yield Difference(new.form, _words(new, was, now), thing, key)
    kept = [part for part in new.order if part in old.order]
    if kept != [part for part in old.order if part in new.order]:
        order = ", ".join(new.order)
        message = T("{thing}: the order is now {order}", thing=new.name, order=order)
        yield Difference(new.form, message, thing)


def _words(thing: Thing, was: Fact | None, now: Fact | None) -> Message:
    if was is None and now is not None:
        return T(
            "{thing}: {about} {value} added", thing=thing.name, about=now.about, value=now.value
        )
    if now is None and was is not None:
        return T(
            "{thing}: {about} {value} removed",
            thing=thing.name,
            about=was.about,
            value=was.value,
        )
    assert was is not None and now is not None  # noqa: S101, PT018 (one of the two is there)
    return T(
        "{thing}: {about} {old} -> {new}",
        thing=thing.name,
        about=now.about,
        old=was.value,
        new=now.value,
    )
