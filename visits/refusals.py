"""What every change of a participant or visit is refused for, said once."""

from ecrf.kernel.errors import Conflict, Problem, Stale, Unacceptable
from ecrf.kernel.text import T, Text

REASON = "reason"
REASON_LENGTH = 400


def require_open(lock: str, name: str) -> None:
    """Refuse a change of something frozen or locked; `name` is what the person calls it."""
    if lock == "frozen":
        raise Conflict(
            T(
                "{name} is frozen: sites can no longer change it. Ask data management.",
                name=name,
            )
        )
    if lock == "locked":
        raise Conflict(T("{name} is locked: nothing can be changed in it.", name=name))


def require_reason(given: str) -> str:
    """Return the reason without spaces around it; refuse an empty or over-long one."""
    reason = given.strip()
    if not reason:
        raise unacceptable(REASON, T("Give a reason."))
    if len(reason) > REASON_LENGTH:
        raise unacceptable(
            REASON,
            T(
                "The reason has {n} characters; it can have at most {most}.",
                n=len(reason), most=REASON_LENGTH,
            ),
        )  # fmt: skip
    return reason


def unacceptable(item: str, message: Text) -> Unacceptable:
    """Return the refusal of one thing that was sent."""
    return Unacceptable(message, [Problem(item, message)])


def changed_meanwhile(name: str) -> Stale:
    return Stale(
        T("Somebody else changed {name} while you had it open. Open it again.", name=name)
    )
