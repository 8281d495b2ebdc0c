"""Item 19: had anybody who enrolled or assigned seen the sequence or an arm? Pure.

Two ledgers are laid together: who enrolled or randomized, and who handled or read. The answer
is the people on both, with what they did; a code broken in an emergency is told apart, with how
many the same person enrolled or randomized afterwards.
"""

from collections.abc import Iterable
from typing import NamedTuple

from reports.consort.facts import Facts, Person


class Shared(NamedTuple):
    """Somebody who enrolled or assigned and who handled a list or read an arm."""

    person: Person
    actions: tuple[str, ...]
    times: int


class Broken(NamedTuple):
    """A person who broke codes: of how many, and whom they let in after the first of them."""

    person: Person
    codes: int
    afterwards: int


class Access(NamedTuple):
    """The answer, with what it was found among."""

    enrollers: tuple[Person, ...]
    assigners: tuple[Person, ...]
    handlers: tuple[Person, ...]
    readers: tuple[Person, ...]
    reads: int
    exceptions: tuple[Shared, ...]
    broken: tuple[Broken, ...]

    @property
    def empty(self) -> bool:
        return not self.exceptions


def access(facts: Facts) -> Access:
    """Lay the two ledgers together."""
    deciders = {d.person.id for d in (*facts.enrolled, *facts.randomized)}
    plain = [look for look in facts.reads if not look.broke]
    found: dict[Person, list[str]] = {}
    for person, action in (*((h.person, h.action) for h in facts.handled),
                           *((look.person, look.action) for look in plain)):  # fmt: skip
        if person.id in deciders:
            found.setdefault(person, []).append(action)
    exceptions = tuple(
        Shared(person, tuple(sorted(set(actions))), len(actions))
        for person, actions in sorted(found.items())
    )
    return Access(
        _people(d.person for d in facts.enrolled), _people(d.person for d in facts.randomized),
        _people(h.person for h in facts.handled), _people(look.person for look in plain),
        len(plain), exceptions, _broken(facts),
    )  # fmt: skip


def _broken(facts: Facts) -> tuple[Broken, ...]:
    breaks = [look for look in facts.reads if look.broke]
    decided = (*facts.enrolled, *facts.randomized)
    rows = []
    for person in _people(look.person for look in breaks):
        mine = [look for look in breaks if look.person.id == person.id]
        first = min(look.at for look in mine)
        later = {d.participant for d in decided if d.person.id == person.id and d.at > first}
        rows.append(Broken(person, len({look.participant for look in mine}), len(later)))
    return tuple(rows)


def _people(some: Iterable[Person]) -> tuple[Person, ...]:
    return tuple(sorted(set(some)))
