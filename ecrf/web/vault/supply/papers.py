"""A site's accountability log, reconciliation and destructions: page, CSV, PDF."""

from collections.abc import Iterator
from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import destroyed, log, room
from ecrf.web.vault.supply.room import Room
from randomization.supplying import api
from reports.writers import csv
from visits.windows import civil_date

pages = Pages("vault_papers", __name__)
PAGE = "/vault/<study_id>/accountability"


@pages.page(PAGE, needs=Right.SUPPLY_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.SUPPLY_READ, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """List settled kits for destruction, or sign such a list with one's password."""
    do = _sign if room.typed("act") == "sign" else _propose
    then = f"/vault/{study_id}/accountability"
    return room.carry_out(partial(do, study_id), partial(_page, study_id), then)


def _propose(study_id: str) -> None:
    site = _site(room.enter(study_id))
    plan = api.Plan(study_id, site, room.typed("method"), room.typed("place"), room.day("on"))
    api.propose(room.vault(), g.by, plan)


def _sign(study_id: str) -> None:
    site = _site(room.enter(study_id))
    accounts.confirm(g.session, g.by, request.form.get("password", ""))
    api.sign(room.vault(), g.by, study_id, site, room.whole("destruction", 10**9))


def _page(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    site = _site(found)
    return render_template(
        "vault/accountability.html", room=found, site=site, states=api.STATES,
        balance=api.balance(room.vault(), study_id, site),
        lines=api.accountability(room.vault(), study_id, site), settled=api.settled(site),
        certificates=api.certificates(room.vault(), study_id, site), refusal=refusal,
        sent=request.form, today=civil_date(g.by.at, found.zone), depot=api.DEPOT,
    )  # fmt: skip


@pages.page(f"{PAGE}.csv", needs=Right.SUPPLY_READ)
def as_csv(study_id: str) -> ResponseReturnValue:
    """Send the log with one line for each kit; its words do not follow the language."""
    site = _site(room.enter(study_id))
    lines = api.accountability(room.vault(), study_id, site)
    api.printed(room.vault(), g.by, study_id, site, "accountability as CSV")
    text = "".join(_rows(lines))
    return room.file(text.encode(), "text/csv; charset=utf-8", f"{study_id}-{site}-kits.csv")


@pages.page(f"{PAGE}.pdf", needs=Right.SUPPLY_READ)
def as_pdf(study_id: str) -> ResponseReturnValue:
    """Send the reconciliation and the log as a document to be signed and filed."""
    found = room.enter(study_id)
    site = _site(found)
    api.printed(room.vault(), g.by, study_id, site, "accountability")
    paper = log.Log(
        found.study, site, found.zone, g.locale, g.actor.name, g.by.at,
        api.balance(room.vault(), study_id, site),
        api.accountability(room.vault(), study_id, site),
    )  # fmt: skip
    return room.file(paper.draw(), "application/pdf", f"{study_id}-{site}-kits.pdf")


@pages.page("/vault/<study_id>/destructions/<int:number>.pdf", needs=Right.SUPPLY_READ)
def destruction(study_id: str, number: int) -> ResponseReturnValue:
    """Send the certificate of a destruction; before two have signed it says it is a draft."""
    found = room.enter(study_id)
    site = _site(found)
    for one in api.certificates(room.vault(), study_id, site):
        if one.number == number:
            break
    else:
        raise NotFound(T("There is no such destruction here."))
    api.printed(room.vault(), g.by, study_id, site, "destruction", str(number))
    lines = api.accountability(room.vault(), study_id, site)
    paper = destroyed.Paper(
        found.study, site, found.zone, g.locale, g.actor.name, g.by.at, one,
        [line for line in lines if line.number in set(one.kits)],
    )  # fmt: skip
    return room.file(paper.draw(), "application/pdf", f"{study_id}-{site}-D{number}.pdf")


def _site(found: Room) -> str:
    """Return the site asked for, else the first one; another's is not found."""
    site = request.values.get("site") or next(iter(found.codes), "")
    if site not in found.codes:
        raise NotFound(T("There is no site {site} here.", site=site))
    return site


def _rows(lines: list[api.Line]) -> Iterator[str]:
    yield csv.line(api.Line._fields)
    for line in lines:
        yield csv.line(["" if cell is None else _cell(cell) for cell in line])


def _cell(cell: object) -> str:
    isoformat = getattr(cell, "isoformat", None)
    return str(isoformat()) if isoformat else str(cell)
