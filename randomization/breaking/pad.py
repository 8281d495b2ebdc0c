"""Two shares of one answer, put together by hand: digit by digit, forgetting tens. Pure.

An arm is its place on the card's legend, written as one digit six times (111111, 222222, …).
The site's share is six random digits; the desk's share is what has to be added to each of them
to give the arm's digit. A share alone is six digits that are all equally likely, whatever the
arm: a one-time pad. A digit that was misheard shows: the sum is no longer one digit six times.
"""

from collections.abc import Callable

from ecrf.kernel.errors import Unacceptable
from ecrf.kernel.text import T

Draw = Callable[[int], bytes]
DIGITS = 6
MOST_ARMS = 9
FAIR = 250


def word(place: int) -> str:
    """Return what the arm at this place of the legend (from 1) adds up to."""
    if not 1 <= place <= MOST_ARMS:
        raise ValueError("a legend has one to nine arms")
    return str(place) * DIGITS


def split(place: int, draw: Draw) -> tuple[str, str]:
    """Return the site's and the desk's share of the arm at this place of the legend."""
    site = "".join(str(_digit(draw)) for _ in range(DIGITS))
    pairs = zip(word(place), site, strict=True)
    return site, "".join(str((int(sum_) - int(mine)) % 10) for sum_, mine in pairs)


def combine(one: str, other: str) -> int:
    """Return the place on the legend; refuse what does not add up."""
    first, second = ("".join(share.split()) for share in (one, other))
    for share in (first, second):
        if len(share) != DIGITS or not (share.isascii() and share.isdigit()):
            raise Unacceptable(T("A share has {n} digits.", n=DIGITS))
    sums = {(int(a) + int(b)) % 10 for a, b in zip(first, second, strict=True)}
    if len(sums) != 1 or sums == {0}:
        raise Unacceptable(
            T("The two shares do not fit together. Read both once more, and the card's number.")
        )
    return sums.pop()


def _digit(draw: Draw) -> int:
    """Return a digit, each as likely as any other."""
    while (drawn := draw(1)[0]) >= FAIR:
        pass
    return drawn % 10
