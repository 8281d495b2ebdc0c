"""The SQL that gives each process its own PostgreSQL role, and each role what it needs.

`cluster` makes the roles and shuts the databases, `main` and `vault` give rights inside one.
"""

import re
from dataclasses import asdict, dataclass
from importlib.resources import files
from string import Template
from typing import Literal

Part = Literal["cluster", "main", "vault"]
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
DELETABLE = (
    "draft", "file_content", "file_version", "pin", "quality_exclusion", "reminder",
    "review_mark", "site_plan",
)  # fmt: skip
"""Tables of the main database from which the blinded app takes rows away."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the two databases and the three roles are called."""

    main: str = "ecrf"
    vaults: str = "ecrf_vault"
    owner: str = "ecrf_owner"
    blinded: str = "ecrf_blinded"
    vault: str = "ecrf_keeper"

    def __post_init__(self) -> None:
        """Refuse what is no plain name, with ValueError: it is put into SQL as it is."""
        wrong = [name for name in asdict(self).values() if not NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of small letters, digits and _")
        if len({self.owner, self.blinded, self.vault}) < 3 or self.main == self.vaults:
            raise ValueError("the three roles, and the two databases, need names of their own")


def sql(part: Part, names: Names) -> str:
    """Return the statements of one part."""
    text = files("ecrf.migrations").joinpath("sql", f"{part}.sql").read_text("utf-8")
    return Template(text).substitute(asdict(names), deletable=",\n    ".join(DELETABLE))
