"""The record of reads: who looked at whose arm, when, what for. Shows no arm.

`watch` runs after every answer of the vault app: who looked at more arms in a day than the
study expects is written down, and the statistician is told, without a participant or an arm.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from logging import getLogger
from urllib.parse import quote

from flask import Response, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from ecrf.kernel import outbox
from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.closed import READS_PER_DAY
from ecrf.web import where
from ecrf.web.routes import Pages
from ecrf.web.services import services
from ecrf.web.vault.supply import room
from randomization.closed import api
from reports.writers import csv

pages = Pages("vault_reads", __name__)
PAGE = "/vault/<study_id>/reads"
MOST = 500
HEADER = ("at", "person", "role", "read", "participant", "site", "reason", "report", "list",
          "participants", "form")  # fmt: skip
_LOG = getLogger("ecrf.vault")


@pages.page(PAGE, needs=Right.READS_READ)
def show(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.READS_READ).study
    found = api.record(room.vault(), g.by, study_id, MOST + 1)
    return render_template(
        "vault/oversight/reads.html", study=study, reads=found[:MOST], more=len(found) > MOST,
        most=MOST, titles=TITLES,
        per_day=study.closed.reads_per_day if study.closed else READS_PER_DAY,
    )  # fmt: skip


@pages.page(f"{PAGE}.csv", needs=Right.READS_READ)
def as_csv(study_id: str) -> ResponseReturnValue:
    """Send the whole record; its words do not follow the language."""
    where.in_force(study_id, Right.READS_READ)
    body = "".join(_rows(api.record(room.vault(), g.by, study_id))).encode()
    disposition = f"attachment; filename*=UTF-8''{quote(f'{study_id}-reads.csv')}"
    headers = {"Content-Disposition": disposition}
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


def _rows(found: list[api.Read]) -> Iterator[str]:
    yield csv.line(HEADER)
    for read in found:
        about = [str(read.refs.get(key, "")) for key in HEADER[-4:]]
        yield csv.line([
            read.at.isoformat(timespec="seconds"), read.name, read.role, read.action,
            read.participant, read.site, read.why, *about,
        ])  # fmt: skip


def watch(response: Response) -> Response:
    """Write down and tell when somebody looked at unusually many arms today. Never refuses."""
    study_id = (request.view_args or {}).get("study_id")
    by = g.get("by")
    if study_id is None or by is None or by.actor == NOBODY or response.status_code >= 400:
        return response
    try:
        _watch(study_id)
    except DBAPIError as failure:
        # The answer is on the books; that nobody was told must not take it from who needs it.
        _LOG.error("reads are not watched: %s", type(failure).__name__)
    return response


def _watch(study_id: str) -> None:
    day = g.by.at.astimezone(UTC).date()
    since = datetime.combine(day, time(), UTC)
    reads = api.count(room.vault(), study_id, g.actor.id, since)
    if reads == 0:
        return
    database = services().database
    with database.read() as session:
        rule = versions.in_force(session, study_id)[0].closed
    most = rule.reads_per_day if rule else READS_PER_DAY
    if reads <= most or api.alarmed(room.vault(), g.by, study_id, day.isoformat()):
        return
    text = T("Unusually many reads of arms by one person in one day: {n}.", n=reads)
    # The notice first: told twice is better than written down and never told.
    with database.write() as session:
        outbox.put(
            session, g.by, study_id, "", Right.READS_READ, "reads", text,
            f"/vault/{study_id}/reads",
        )  # fmt: skip
    api.raise_alarm(room.vault(), g.by, study_id, day.isoformat(), reads)
