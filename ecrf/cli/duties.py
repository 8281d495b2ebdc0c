"""What is done every minute: mail, late answers of the vault stored, its own copy renewed, code
breaks carried over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import getLogger

from sqlalchemy.exc import DBAPIError

from ecrf.cli import sweeping
from ecrf.cli.installation import Installation
from ecrf.kernel import chance, mail
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.web.vault.breaking import carrying, mirroring
from randomization import api

EVERY = timedelta(minutes=1)
_LOG = getLogger("ecrf.worker")


@dataclass(slots=True)
class Rounds:
    """The rounds of one process; a duty that fails is logged and done the next time."""

    place: Installation
    last: datetime | None = None

    def go(self, at: datetime) -> None:
        """Do every duty unless it is too soon."""
        if self.last is not None and at - self.last < EVERY:
            return
        self.last = at
        by = By(NOBODY, at, Origin.JOB, chance.system)
        for duty in (self._send, self._sweep, self._break):
            _try(duty, by)

    def _send(self, by: By) -> None:
        config = self.place.config
        if config.smtp_url:
            post = mail.Post(mail.server(config.smtp_url), config.base_url)
            mail.deliver(self.place.database, post, by.at)

    def _sweep(self, _by: By) -> None:
        sweeping.every(self.place)

    def _break(self, by: By) -> None:
        """A worker without the vault's key leaves this to one that has it."""
        vault = api.open_vault(self.place.config, self.place.vault)
        mirroring.mirror(self.place.database, vault, by)
        carrying.carry(self.place.database, vault, by)


def _try(duty: Callable[[By], None], by: By) -> None:
    try:
        duty(by)
    except Refused as refusal:
        _LOG.info("%s: %s", duty.__name__, refusal)
    except (DBAPIError, OSError) as failure:
        _LOG.error("%s: %s", duty.__name__, type(failure).__name__)
