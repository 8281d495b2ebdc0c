"""What a study says of keeping and sending its kits. The same for all arms, by construction."""

from decimal import Decimal

from ecrf.study.parts import Frozen


class Stocking(Frozen):
    """Temperatures in °C, both ends allowed; numbers of whole sets; days.

    A kit is not handed out unless it lasts `margin` days longer than the supply it is for.
    A site with `least` whole sets or fewer, what is on its way included, is sent up to `most`.
    """

    margin: int = 0
    lowest: Decimal = Decimal(2)
    highest: Decimal = Decimal(30)
    least: int = 6
    most: int = 20
    second_person: bool = False
