"""The pages a person can go to from everywhere, by right. One line each."""

from typing import NamedTuple

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.text import Message, T


class Entry(NamedTuple):
    path: str
    label: Message
    right: Right


ENTRIES = (
    Entry("/{study}/", T("Today"), Right.PARTICIPANT_READ),
    Entry("/{study}/participants", T("Participants"), Right.PARTICIPANT_READ),
    Entry("/{study}/queries", T("Queries"), Right.QUERY_READ),
    Entry("/{study}/cases", T("Cases"), Right.ADJUDICATION_MANAGE),
    Entry("/{study}/adjudication", T("My cases"), Right.ADJUDICATION_WRITE),
    Entry("/{study}/alerts", T("Alerts"), Right.ALERT_ACKNOWLEDGE),
    Entry("/{study}/laboratory", T("Laboratory"), Right.LABORATORY_MANAGE),
    Entry("/{study}/results", T("Result files"), Right.ENTRY_WRITE),
    Entry("/{study}/review", T("Review"), Right.ENTRY_READ),
    Entry("/{study}/code-breaks", T("Code breaks"), Right.BREAK_READ),
    Entry("/{study}/deviations", T("Deviations"), Right.ENTRY_READ),
    Entry("/{study}/quality", T("Data quality"), Right.QUALITY_READ),
    Entry("/{study}/amendments", T("Amendments"), Right.STUDY_APPROVE),
    Entry("/{study}/locks", T("Freeze and lock"), Right.DATA_FREEZE),
    Entry("/{study}/exports", T("Exports"), Right.DATA_EXPORT),
    Entry("/{study}/ledger", T("Ledger"), Right.LEDGER_READ),
    Entry("/{study}/sites", T("Sites"), Right.SITE_OPEN),
    Entry("/{study}/people", T("People"), Right.ACCOUNT_MANAGE),
    Entry("/{study}/paper", T("Paper"), Right.STUDY_READ),
    Entry("/vault/{study}/", T("To be dispensed"), Right.KIT_DISPENSE),
    Entry("/vault/{study}/shipments", T("Shipments"), Right.SUPPLY_READ),
    Entry("/vault/{study}/stock", T("Stock"), Right.SUPPLY_READ),
    Entry("/vault/{study}/batches", T("Batches"), Right.SUPPLY_READ),
    Entry("/vault/{study}/resupply", T("Resupply"), Right.SUPPLY_MANAGE),
    Entry("/vault/{study}/incidents", T("Incidents"), Right.SUPPLY_READ),
    Entry("/vault/{study}/returns", T("Returns"), Right.KIT_DISPENSE),
    Entry("/vault/{study}/forced", T("Forced allocation"), Right.ALLOCATION_FORCE),
    Entry("/vault/{study}/accountability", T("Accountability"), Right.SUPPLY_READ),
    Entry("/vault/{study}/lists", T("Randomization lists"), Right.LIST_ACTIVATE),
    Entry("/vault/{study}/closed", T("Closed reports"), Right.CLOSED_READ),
    Entry("/vault/{study}/reads", T("Reads of arms"), Right.READS_READ),
    Entry("/vault/{study}/unblinding", T("Unblinding"), Right.RANDOMIZATION_READ),
    Entry("/vault/{study}/consort", T("CONSORT"), Right.RANDOMIZATION_READ),
    Entry("/vault/{study}/preparations", T("Doses to prepare"), Right.PREPARATION_READ),
    Entry("/vault/{study}/answers", T("Answers"), Right.BREAK_RECEIVE),
)


def entries(actor: Actor, study: str | None) -> list[Entry]:
    """Return the entries this person may follow in the study; none outside a study."""
    if study is None:
        return []
    return [
        entry._replace(path=entry.path.format(study=study))
        for entry in ENTRIES
        if actor.may(entry.right, study)
    ]
