"""What a person says of an act of supply: never nothing, never a novel. Pure."""

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import T

LONGEST = 1000


def said(text: str, item: str) -> str:
    """Return what was said without blanks around it; refuse nothing and too much."""
    short = text.strip()
    if not 0 < len(short) <= LONGEST:
        wrong = T("Say in 1 to {n} characters what happened.", n=LONGEST)
        raise Unacceptable(wrong, [Problem(item, wrong)])
    return short
