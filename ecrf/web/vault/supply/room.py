"""What every page of supply begins with: the study, the person's sites, the opened vault."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import quote

from flask import Response, current_app, g, redirect, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.people import Site
from ecrf.kernel.text import T, Text
from ecrf.study.model import Study
from ecrf.study.stocking import Stocking
from ecrf.web import where
from ecrf.web.routes import Again
from randomization import api as vault_api
from randomization.api import KitNumber, Vault
from randomization.supplying import api
from visits import lookup, randomized
from visits.randomized import Known
from visits.rows import ParticipantRow

EXTENSION = "ecrf.vault"
LONGEST = 9


class Room(NamedTuple):
    """A study's supply as one person may see it."""

    study: Study
    sites: Sequence[Site]
    manager: bool

    @property
    def codes(self) -> list[str]:
        """The sites the person may look at; the supply manager sees the depot, too."""
        return [*(site.code for site in self.sites), *([api.DEPOT] if self.manager else [])]

    @property
    def zone(self) -> str:
        return next((site.zone for site in self.sites), "UTC")

    @property
    def stocking(self) -> Stocking:
        return self.study.supply.stocking if self.study.supply else Stocking()

    def site(self, code: str) -> str:
        """Return the code if it is one of the person's sites; else refuse."""
        if code not in self.codes:
            raise wrong("site", T("Choose a site."))
        return code


def enter(study_id: str) -> Room:
    """Return the supply of a study, as far as the person's sites go."""
    study = where.in_force(study_id, Right.SUPPLY_READ).study
    if study.supply is None:
        raise NotFound(T("This study has no kits."))
    sites = lookup.sites(g.session, g.actor, study_id, Right.SUPPLY_READ)
    return Room(study, sites, g.actor.may(Right.SUPPLY_MANAGE, study_id))


def vault() -> Vault:
    opened: Vault = current_app.extensions[EXTENSION]
    return opened


def carry_out(
    do: Callable[[], object], page: Callable[[Refused | None], str], then: str
) -> ResponseReturnValue:
    """Do it and lead on; when it is refused show the page again with what was typed."""
    try:
        do()
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: page(no)) from None
    return redirect(f"{then}?done=1", 303)


def whole(item: str, most: int = 100_000) -> int:
    """Return the whole number that was typed."""
    typed = request.form.get(item, "").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= LONGEST) or int(typed) > most:
        raise wrong(item, T("Write a whole number."))
    return int(typed)


def day(item: str) -> date:
    """Return the day that was typed."""
    try:
        return date.fromisoformat(typed(item))
    except ValueError:
        raise wrong(item, T("Write the day as {example}.", example="2026-03-05")) from None


def typed(item: str) -> str:
    return request.form.get(item, "").strip()


def wrong(item: str, message: Text) -> Unacceptable:
    return Unacceptable(message, [Problem(item, message)])


def file(body: bytes, kind: str, name: str) -> Response:
    """Return a file to be saved under this name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(body, content_type=kind, headers={"Content-Disposition": disposition})


def kit_numbers(who: ParticipantRow) -> tuple[KitNumber, ...]:
    """Return the participant's kits as the vault knows them; no arm is opened."""
    return vault_api.kit_numbers(vault(), who.study, who.site, who.code)


def follow(who: ParticipantRow) -> None:
    """Bring the blinded side's kit numbers to what the vault knows."""
    known = [Known(*kit) for kit in kit_numbers(who)]
    randomized.follow(g.session, g.by, who, known)
