"""What a study says of its kits: keeping, sending, labels, preparing. The same for all arms."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from ecrf.study.parts import Frozen, Source, Words

Days = Annotated[int, Field(ge=0, le=3650)]
Sets = Annotated[int, Field(ge=0, le=500)]


class Stocking(Frozen):
    """Temperatures in °C, both ends allowed; days; whole sets of kits of all arms.

    A kit is not handed out unless it lasts `margin` days longer than the supply it is for.
    `mode` says when a site gets more. By levels: when at most `low` sets are there or coming,
    up to `high`. By prediction: when there are at most as many as the visits of the next
    `trigger_days` may need and `low` more; then for the next `resupply_days` and `high` more.
    `seed` is what a site gets first.
    """

    margin: int = 0
    lowest: Decimal = Decimal(2)
    highest: Decimal = Decimal(30)
    mode: Literal["none", "levels", "predictive"] = "none"
    seed: Sets = 0
    low: Sets = 0
    high: Sets = 0
    trigger_days: Days = 0
    resupply_days: Days = 0


class Label(Frozen):
    """What stands on every kit beside number, batch and expiry (CTR 536/2014, Annex VI A.1).

    The letters are those of the annex. Trial code (e) and name of the product (b) come from
    elsewhere in the definition; number (d), expiry (k) and barcode from the kit.
    """

    contact: Words
    """(a) Name, address and telephone of the main contact, also for breaking the code."""
    content: Words
    """(c) Form, route of administration, quantity."""
    investigator: Words
    """(g) The investigator, or a line for the name."""
    directions: Words
    """(h) How it is used, or where that is said."""
    caution: Words
    """(i) For clinical trial use only, or the like."""
    storage: Words
    """(j) How it is kept."""
    children: Words
    """(l) Out of the reach of children."""
    source: Source = "unverified"


class Preparation(Frozen):
    """Visits at which an unblinded preparer makes a dose ready, and how many hours before."""

    visits: tuple[str, ...]
    hours: Annotated[int, Field(ge=1, le=240)] = 24
