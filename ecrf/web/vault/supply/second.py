"""The second person at dispensing reads the number, too, and says so with a password."""

from flask import g, request

from ecrf.kernel import accounts
from ecrf.kernel.access import Actor
from ecrf.kernel.accounts import WrongPassword
from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.web.vault.supply import room
from randomization import api


class WrongSecond(WrongPassword):
    """User name and password do not belong together; it counts against that account."""

    def __init__(self, person_id: int | None) -> None:
        super().__init__(person_id)
        self.problems = (Problem("second_password", self.message),)


def person(study: Study, typed: str) -> Actor | None:
    """Return who checked the kit where the study wants somebody to; else None.

    The number is typed or scanned a second time. That it is another person, who may hand out
    kits there, is for the vault to see.
    """
    if study.supply is None or not study.supply.second_person:
        return None
    if api.tidy(room.typed("second_number")) != api.tidy(typed):
        differ = T("The two people read different numbers.")
        raise room.wrong("second_number", differ)
    username = room.typed("second_username")
    try:
        accounts.check(g.session, username, request.form.get("second_password", ""), g.by.at)
    except WrongPassword as wrong:
        raise WrongSecond(wrong.person_id) from None
    return accounts.actor(g.session, username, g.by.at)
