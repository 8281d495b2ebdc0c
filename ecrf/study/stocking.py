"""What a study says of keeping and sending its kits. The same for all arms, by construction."""

from decimal import Decimal

from ecrf.study.parts import Frozen


class Stocking(Frozen):
    """Temperatures in °C, both ends allowed; days.

    A kit is not handed out unless it lasts `margin` days longer than the supply it is for.
    """

    margin: int = 0
    lowest: Decimal = Decimal(2)
    highest: Decimal = Decimal(30)
