"""What is printed of a ceremony: the first publication and the minutes. Pure.

No arm, no size of a block, no scheme: both may be read by anyone.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from ecrf.kernel.access import TITLES as ROLES
from ecrf.kernel.chain import stamp
from ecrf.kernel.text import LOCALES, Message, T, Text
from randomization.ceremony.steps import MEANINGS, TITLES, Standing, Step

FACTS: Mapping[str, Message] = {
    "spec_hash": T("Hash of the specification"),
    "software": T("Software"),
    "seed_commitment": T("Seed commitment"),
    "source": T("Source of the beacon"),
    "words": T("Which value"),
    "known_from": T("Known from"),
    "filed": T("Filed"),
    "beacon": T("Beacon"),
    "value": T("Value"),
    "root": T("Merkle root"),
    "slots": T("Slots asked for"),
    "checked": T("Whole blocks, ratio and bounds checked in the vault"),
    "file": T("SHA-256 of the file"),
    "agrees": T("It is the root of the list"),
    "where": T("On which machine"),
    "signature": T("Signature"),
    "reason": T("Reason"),
}
YES_NO: Mapping[str, Message] = {"yes": T("yes"), "no": T("no")}


class Line(NamedTuple):
    """A step in the minutes."""

    at: datetime
    name: str
    role: Message
    title: Message
    meaning: Message
    facts: tuple[tuple[Message, Text | str], ...]


class Announcement(NamedTuple):
    """The first publication: what binds specification and seed before the beacon is known."""

    study: str
    list: int
    environment: str
    spec_hash: str
    seed_commitment: str
    beacon: str
    known_from: str
    software: str
    key: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        return (
            ("study", self.study), ("list", str(self.list)), ("environment", self.environment),
            ("specification hash", self.spec_hash), ("seed commitment", self.seed_commitment),
            ("beacon", self.beacon), ("beacon known from", self.known_from),
            ("software", self.software), ("vault key", self.key),
        )  # fmt: skip

    def text(self) -> str:
        """Return it as it is filed; the names are those of the second publication."""
        return "".join(f"{name}: {value}\n" for name, value in self.lines())


def announcement(standing: Standing, key: str) -> Announcement | None:
    """Return the first publication; None before the seed is sealed and for imported lists."""
    if not standing.all(Step.PLAN):
        return None
    return Announcement(
        standing.study, standing.version, standing.environment, standing.spec_hash,
        standing.fact(Step.SEAL, "seed_commitment"),
        f"{standing.fact(Step.PLAN, 'source')}: {standing.fact(Step.PLAN, 'words')}",
        standing.fact(Step.PLAN, "known_from"), standing.software, key,
    )  # fmt: skip


def minutes(standing: Standing) -> tuple[Line, ...]:
    """Return the steps in the order in which they were done."""
    return tuple(
        Line(
            done.at, done.by_name, ROLES.get(done.role, T("system")), TITLES[done.step],
            MEANINGS[done.step],
            tuple(
                (FACTS[name], YES_NO.get(value, value))
                for name, value in done.content.items()
            ),
        )
        for done in standing.steps
    )  # fmt: skip


def minutes_text(standing: Standing, key: str) -> str:
    """Return the minutes in both languages, one after the other."""
    return "\n".join(line for locale in LOCALES for line in _lines(standing, key, locale))


def _lines(standing: Standing, key: str, locale: str) -> Iterator[str]:
    title = T("Minutes: how list {n} of {study} was made ({environment})",
              n=standing.version, study=standing.study,
              environment=standing.environment)  # fmt: skip
    yield title.in_(locale)
    yield f"{T('Key of the vault').in_(locale)}: {key}"
    yield ""
    for number, line in enumerate(minutes(standing), start=1):
        yield f"{number}. {line.title.in_(locale)}"
        yield f"   {stamp(line.at)} · {line.name} · {line.role.in_(locale)}"
        yield f"   “{line.meaning.in_(locale)}”"
        for name, value in line.facts:
            said = value if isinstance(value, str) else value.in_(locale)
            yield f"   {name.in_(locale)}: {said}"
        yield ""
