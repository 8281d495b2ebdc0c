"""An arm as it travels inside the vault: it can be compared and opened, never printed. Pure."""

from typing import NoReturn

REDACTED = "Arm(sealed)"


class Arm:
    """One treatment. Every way to text gives the same word, so that no message, traceback or
    print can say which one it is; `opened` alone does, where disclosure is the purpose.
    """

    __slots__ = ("_id",)

    def __init__(self, id_: str) -> None:
        self._id = id_

    def opened(self) -> str:
        """Return the arm's id. Called where the arm is sealed, committed to or disclosed."""
        return self._id

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(REDACTED, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arm) and self._id == other._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an arm does not leave its process")
