"""What an unblinded person prints is noted before it leaves (leak row L20)."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.ledger import Act, By
from randomization.opened import Vault, permitted
from randomization.supplying import books


def printed(vault: Vault, by: By, study: str, site: str, what: str, refs: str = "") -> None:
    """Write down that this person takes a paper or a file about the site's supply away."""
    role = permitted(by, Right.SUPPLY_READ, study, site)
    act = Act("supply:print", role, study, site, refs={"what": what, "of": refs[:100]})

    def do(_session: Session) -> tuple[None, Mapping[str, object]]:
        return None, {}

    books.enter(vault, by, act, do)
