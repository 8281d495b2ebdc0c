"""What a person should look at in a form."""

from typing import Literal, NamedTuple

from ecrf.kernel.text import Text

Severity = Literal["soft", "hard"]


class Finding(NamedTuple):
    """Something a person should look at. Data, not an exception: there may be many.

    `rule` is stable: "required", "soft_limit", "inapplicable", "closed_cell", "unfit" or a
    check's id.
    """

    rule: str
    item: str
    message: Text
    severity: Severity = "soft"
