"""Suggestions for a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

from ecrf.kernel.text import Message, T


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `word`, whatever its capitals, if one is near."""
    names = {name.lower(): name for name in sorted(known)}
    found = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def suggest(message: Message, word: str, known: Iterable[str]) -> Message:
    """Return `message`, with the name that was probably meant when there is one."""
    near = nearest(word, known)
    if near is None:
        return message
    return T("{message} Did you mean {name}?", message=message, name=near)
