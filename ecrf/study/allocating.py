"""What a study says of randomizing beside the scheme: how many at most, and which version of
the consent form counts. Pure.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field

from ecrf.study.parts import Frozen, Id

Most = Annotated[int, Field(ge=1, strict=True)]
BY_ALIAS = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Caps(Frozen):
    """How many are randomized at most: in all, at a site, in a stratum (by its name).

    Without `total` the number planned is the most.
    """

    total: Most | None = None
    sites: Mapping[str, Most] = {}
    strata: Mapping[str, Most] = {}


class ConsentVersion(Frozen):
    """A version of the consent form, as printed on it.

    It is in force from its first day until the next one's; a site may have a day of its own.
    """

    id: Annotated[str, Field(min_length=1, max_length=40)]
    from_: Annotated[dt.date, Field(alias="from")]
    sites: Mapping[str, dt.date] = {}

    model_config = BY_ALIAS

    def first_day(self, site: str) -> dt.date:
        return self.sites.get(site, self.from_)


class ConsentVersions(Frozen):
    """Which versions there are, the oldest first, and the items of `form` that say which was
    signed, on which day, and whether it was (`signed` is answered with yes).
    """

    form: str
    item: Id
    date: Id
    signed: Id
    versions: Annotated[tuple[ConsentVersion, ...], Field(min_length=1)]

    def current(self, site: str, on: dt.date) -> ConsentVersion | None:
        """Return the version in force at a site on a day; None before the first."""
        begun = [version for version in self.versions if version.first_day(site) <= on]
        return begun[-1] if begun else None

    def known(self, typed: str) -> ConsentVersion | None:
        """Return the version that was typed: `2.1`, `V2.1`, `2.1 / 2026-08-01`."""
        said = re.sub(r"\s+", "", typed).casefold()
        return next((v for v in reversed(self.versions) if _names(said, v.id)), None)


def _names(said: str, version: str) -> bool:
    """Say whether a text begins with this version and no longer number of one."""
    plain = re.escape(re.sub(r"\s+", "", version).casefold())
    return re.match(rf"(version|ver\.?|v\.?|版本号?|第)?{plain}(?![\d.]*\d)", said) is not None
