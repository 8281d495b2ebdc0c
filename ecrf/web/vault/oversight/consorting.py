"""The records of both sides put together, for the texts of CONSORT 2025; and their page.

Everybody who may know of the randomization reads them; how the list restricts chance is told
to the unblinded statistician only, after that read was written down.
"""

from collections.abc import Mapping, Sequence

from flask import Response, g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import stamp
from ecrf.kernel.ledger import By
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from randomization import api as vault_api
from randomization.closed import api
from reports.closed.records import Record
from reports.consort import reading, text
from reports.consort.facts import Drawn, Facts, Handled, Ledgers, Looked, Person

pages = Pages("vault_consort", __name__)
PAGE = "/vault/<study_id>/consort"
BREAK = "reveal:code break"


@pages.page(PAGE, needs=Right.RANDOMIZATION_READ)
def show(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.RANDOMIZATION_READ).study
    found = facts(g.session, room.vault(), g.by, study)
    return render_template(
        "vault/oversight/consort.html", study=study, items=text.items(study, found), facts=found
    )


@pages.page(f"{PAGE}.txt", needs=Right.RANDOMIZATION_READ)
def as_text(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.RANDOMIZATION_READ).study
    body = text.bilingual(study, facts(g.session, room.vault(), g.by, study))
    headers = {"Content-Disposition": f"attachment; filename={study_id}-consort.txt"}
    return Response(body, content_type="text/plain; charset=utf-8", headers=headers)


def facts(session: Session, vault: vault_api.Vault, by: By, study: Study) -> Facts:
    """Return what the texts rest on, as far as the person may know it."""
    side = reading.read(session, study.id)
    vaulted = api.describe(vault, study.id)
    told = by.actor.may(Right.CLOSED_MAKE, study.id)
    return Facts(
        stamp(by.at),
        tuple(
            _drawn(known, api.restriction(vault, by, study.id, known.version) if told else None)
            for known in vaulted.lists
        ),
        tuple(
            Handled(stamp(h.at), Person(h.person, h.name), h.action, h.list_version)
            for h in vaulted.handling
        ),
        tuple(
            Looked(stamp(read.at), Person(read.person, read.name), read.action,
                   read.action == BREAK, read.participant)
            for read in api.reads_for_proof(vault, by, study.id)
        ),
        side.enrolled, side.randomized, side.granted,
        Ledgers(side.chains, side.acts, side.root, vaulted.head.size, vaulted.head.link),
        vaulted.kits, side.flow,
    )  # fmt: skip


def by_arm(
    found: Facts, study: Study, records: Sequence[Record], arms: Mapping[str, str]
) -> Facts:
    """Return the facts with the flow by arm; for a study that is unblinded."""
    done = frozenset(
        study.closed.study.completed if study.closed and study.closed.study else ()
    )
    rows = []
    for arm in study.arms:
        mine = [record for record in records if arms.get(record.code) == arm.id]
        rows.append((
            arm.id, len(mine), sum(record.treated for record in mine),
            sum(record.study is not None and record.study.reason in done for record in mine),
        ))  # fmt: skip
    return found._replace(flow=found.flow._replace(arms=tuple(rows)))


def _drawn(known: api.Known, told: Mapping[str, tuple[int, ...]] | None) -> Drawn:
    return Drawn(
        known.version, known.state, known.scheme, known.ratio, known.strata, known.root,
        known.seed_commitment, known.spec_hash, known.software, stamp(known.generated_at),
        stamp(known.published_at) if known.published_at else "",
        stamp(known.activated_at) if known.activated_at else "", known.allocated, told,
    )  # fmt: skip
