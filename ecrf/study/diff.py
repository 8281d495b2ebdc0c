"""What changes between two definitions of a study, in plain words. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.study.things import Fact, Key, Thing, things


class Difference(NamedTuple):
    """One difference in words, and the form it concerns, if it concerns one."""

    form: str | None
    message: Message


def diff(old: Study, new: Study) -> tuple[Difference, ...]:
    """Return the differences in the order of the new definition, what is gone at the end.

    What is inside an added or removed form or grid is not listed again.
    """
    before, after = things(old), things(new)
    return tuple(_differences(before, after))


def _differences(before: dict[Key, Thing], after: dict[Key, Thing]) -> Iterator[Difference]:
    for key, thing in after.items():
        if key in before:
            yield from _changed(before[key], thing)
        elif not _inside(key, after.keys() - before.keys()):
            yield Difference(thing.form, T("{thing}: added", thing=thing.name))
    for key, thing in before.items():
        if key not in after and not _inside(key, before.keys() - after.keys()):
            yield Difference(thing.form, T("{thing}: removed", thing=thing.name))


def _inside(key: Key, whole: set[Key]) -> bool:
    """Say whether the thing is part of another one that came or went as a whole."""
    kind, *names = key
    if kind in ("item", "grid", "section", "check") and ("form", names[0]) in whole:
        return True
    return any(key[:size] in whole for size in range(2, len(key)))


def _changed(old: Thing, new: Thing) -> Iterator[Difference]:
    for key in (*new.facts, *(key for key in old.facts if key not in new.facts)):
        was, now = old.facts.get(key), new.facts.get(key)
        if was is None or now is None or was.value != now.value:
            yield Difference(new.form, _words(new, was, now))
    kept = [part for part in new.order if part in old.order]
    if kept != [part for part in old.order if part in new.order]:
        order = ", ".join(new.order)
        yield Difference(
            new.form, T("{thing}: the order is now {order}", thing=new.name, order=order)
        )


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
