"""Who acted: a line for each person, role and site that the acts name. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar


class People:
    """Collects the people of acts as they pass."""

    HEADER: ClassVar = ("person", "name", "role", "site", "acts", "first_at", "last_at")

    def __init__(self) -> None:
        self._found: dict[tuple[int, str, str, str], list[Any]] = {}

    def note(self, header: Mapping[str, Any]) -> None:
        key = (
            int(header["actor"]), str(header["name"]), str(header["role"] or ""),
            str(header["site"] or ""),
        )  # fmt: skip
        at = str(header["at"])
        seen = self._found.setdefault(key, [0, at, at])
        seen[0] += 1
        seen[1], seen[2] = min(seen[1], at), max(seen[2], at)

    def rows(self) -> Iterator[list[str]]:
        for key in sorted(self._found):
            yield [str(part) for part in (*key, *self._found[key])]
