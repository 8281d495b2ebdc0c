"""What an app is given at start: the settings, the database, the clock, the randomness."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from ecrf.kernel.chance import Draw
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The same for the blinded app and the vault app; neither holds the other's secrets."""

    config: Config
    database: Database
    clock: Callable[[], datetime]
    draw: Draw


def services() -> Services:
    """Return what the running app was given."""
    given: Services = current_app.extensions["ecrf"]
    return given
