"""Numbers people read aloud and type: six random digits and Damm's check digit. Pure.

They are drawn without regard to arm, list position or site. The check digit catches every
single wrong digit and every swap of neighbours.
"""

from collections.abc import Callable, Collection, Iterator
from struct import iter_unpack

Draw = Callable[[int], bytes]

KIT = "K"
RANDOM = "R"
SPACE = 1_000_000
WORD_BYTES = 4
WORDS = 1 << 8 * WORD_BYTES
FULLEST = SPACE // 2

DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """Return Damm's check digit of `digits`; of a number that carries its own it is "0"."""
    interim = 0
    for digit in digits:
        interim = DAMM[interim][int(digit)]
    return str(interim)


def valid(number: str) -> bool:
    """Say whether this is a kit or randomization number without a slip of the keyboard."""
    digits = number[1:]
    return (
        number[:1] in (KIT, RANDOM)
        and len(digits) == 7
        and digits.isascii()
        and digits.isdigit()
        and check_digit(digits) == "0"
    )


def tidy(typed: str) -> str:
    """Return what was typed without spaces and hyphens, in capitals."""
    return "".join(typed.split()).replace("-", "").upper()


def fresh(draw: Draw, prefix: str, count: int, taken: Collection[str]) -> tuple[str, ...]:
    """Return `count` new numbers, none of them in `taken`."""
    if len(taken) + count > FULLEST:
        raise ValueError(f"at most {FULLEST} numbers are given with one prefix")
    used = set(taken)
    made: list[str] = []
    while missing := count - len(made):
        for value in _fair(draw(WORD_BYTES * missing), SPACE):
            digits = f"{value:06d}"
            number = prefix + digits + check_digit(digits)
            if number not in used:
                used.add(number)
                made.append(number)
    return tuple(made)


def below(draw: Draw, n: int) -> int:
    """Return a fair integer from 0 to n - 1."""
    while True:
        for value in _fair(draw(WORD_BYTES), n):
            return value


def _fair(words: bytes, n: int) -> Iterator[int]:
    """Yield an integer below n for each word that is not past the last multiple of n."""
    limit = WORDS - WORDS % n
    for (word,) in iter_unpack(">I", words):
        if word < limit:
            yield word % n


def order(draw: Draw, count: int) -> list[int]:
    """Return 0 … count - 1 in a fair order."""
    places = list(range(count))
    for last in range(count - 1, 0, -1):
        other = below(draw, last + 1)
        places[last], places[other] = places[other], places[last]
    return places
