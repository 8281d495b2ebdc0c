"""The stage a demonstration plays on: the installation, the study, the cast, and the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from ecrf.cli.demonstration.chooser import Chooser
from ecrf.cli.demonstration.filling import Filler
from ecrf.cli.demonstration.profile import Profile
from ecrf.kernel.access import Actor, Role
from ecrf.kernel.chance import Draw
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.study.model import Study


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a scene needs. `cast` is who plays which role at which site (None: all)."""

    database: Database
    study: Study
    fingerprint: str
    profile: Profile
    cast: Mapping[tuple[Role, str | None], Actor]
    choose: Chooser
    draw: Draw

    @property
    def filler(self) -> Filler:
        return Filler(self.study, self.choose)

    def who(self, role: Role, site: str | None) -> Actor:
        """Return who plays the role at the site, else who plays it everywhere."""
        found = self.cast.get((role, site)) or self.cast.get((role, None))
        if found is None:
            raise LookupError(f"the training copy has no {role} for {site}")
        return found

    def by(self, actor: Actor, at: datetime) -> By:
        return By(actor, at, Origin.PAGE, self.draw)

    def zone(self, site: str) -> str:
        return next(s.zone for s in self.study.sites if s.code == site)

    def at(self, site: str, on: date, hour: int, minute: int = 0) -> datetime:
        """Return the instant of a time of day at a site."""
        local = datetime.combine(on, time(hour, minute), ZoneInfo(self.zone(site)))
        return local.astimezone(UTC)
