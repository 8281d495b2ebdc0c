"""One broken code: what an emergency leaves behind is there to be seen, not yet assessed."""

from datetime import date, timedelta

from sqlalchemy import select

from ecrf.cli.demonstration.dispensary import Dispensary
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Role
from ecrf.web.vault.breaking import carrying
from randomization.breaking import api
from visits.tables import Participant

ENOUGH = 20
"""In a smaller copy every code stays whole: whoever tries one has it before them."""

REASON = "Admitted unconscious after taking the tablets of a month; the team must know."


def play(stage: Stage, dispensary: Dispensary, today: date) -> None:
    """Break the code of the participant randomized last, by the investigator of the site."""
    if not stage.study.blinded:
        return
    with stage.database.read() as session:
        people = session.execute(
            select(Participant.code, Participant.site)
            .where(Participant.study == stage.study.id, Participant.random_number.is_not(None))
            .order_by(Participant.randomized_on, Participant.id)
        ).all()
    if len(people) < ENOUGH:
        return
    code, site = people[-1]
    at = stage.at(site, today - timedelta(days=1), 18)
    by = stage.by(stage.who(Role.INVESTIGATOR, site), at)
    call = api.Call(by.draw(api.REF_BYTES).hex(), contacted=True, telephone="120")
    why = api.Why.OVERDOSE
    api.code_break(dispensary.vault, by, stage.study.id, site, code, why, REASON, call)
    carrying.carry(stage.database, dispensary.vault, by)
