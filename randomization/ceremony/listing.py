"""Looking at ceremonies: who may take part sees every step, and nothing that is sealed."""

from typing import NamedTuple

from sqlalchemy import select

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import By
from ecrf.kernel.text import Message, T, Text
from randomization import lists
from randomization.ceremony import books, records
from randomization.ceremony.records import Announcement
from randomization.ceremony.steps import TITLES, Standing
from randomization.ceremony.tables import Ceremony
from randomization.opened import Vault
from randomization.publications import Publication
from randomization.tables import ListRow

RECORDS = ("announcement", "publication", "minutes")


class Listed(NamedTuple):
    """A list of the study: its number, its state, and whether it has a ceremony."""

    version: int
    state: Text
    ceremony: bool
    at_step: Message | None


def listing(vault: Vault, by: By, study: str) -> list[Listed]:
    """Return the study's lists and ceremonies in this environment, the newest first."""
    books.permitted(by, Right.LIST_ACTIVATE, study)
    with vault.database.read() as session:
        rows = session.execute(
            select(ListRow.version, ListRow.state).where(
                ListRow.study == study, ListRow.environment == vault.environment
            )
        )
        states = {row.version: lists.STATES[row.state] for row in rows}
        begun = {
            row.version: books.stand(session, row)
            for row in session.scalars(
                select(Ceremony).where(
                    Ceremony.study == study, Ceremony.environment == vault.environment
                )
            )
        }
    return [
        Listed(n, states.get(n, T("in the making")), n in begun, _last(begun.get(n)))
        for n in sorted({*states, *begun}, reverse=True)
    ]


def standing(vault: Vault, by: By, study: str, number: int) -> Standing:
    """Return one ceremony with its steps."""
    books.permitted(by, Right.LIST_ACTIVATE, study)
    with vault.database.read() as session:
        return books.stand(session, books.required(session, vault, study, number))


def announcement(vault: Vault, by: By, study: str, number: int) -> Announcement:
    """Return the first publication of a list that is drawn."""
    found = records.announcement(standing(vault, by, study, number), key_text(vault))
    if found is None:
        raise NotFound(T("There is no first publication of this list."))
    return found


def published(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Return the second publication, as soon as there is a list."""
    books.permitted(by, Right.LIST_ACTIVATE, study)
    return lists.published(vault, study, number)


def minutes(vault: Vault, by: By, study: str, number: int) -> str:
    return records.minutes_text(standing(vault, by, study, number), key_text(vault))


def record_text(vault: Vault, by: By, study: str, number: int, name: str) -> str:
    """Return the text of one of `RECORDS`."""
    if name == "minutes":
        return minutes(vault, by, study, number)
    if name == "announcement":
        return announcement(vault, by, study, number).text()
    return published(vault, by, study, number).text()


def key_text(vault: Vault) -> str:
    return vault.keys.signer.verifier.text()


def _last(found: Standing | None) -> Message | None:
    return TITLES[found.steps[-1].step] if found and found.steps else None
