"""What was typed over an older version, laid beside the version stored since.

The inputs are named `take:<item>` (mine, theirs), `clash` (the items to choose about) and
`base_version` (the version that was typed over); they stand in the form of the entry, so that
the choice is sent with everything that was typed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flask import g
from werkzeug.datastructures import MultiDict

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import T
from forms import html
from forms.answers import called
from forms.drafts import merging
from forms.drafts.merging import Meeting
from forms.lookup import Found

Sent = MultiDict[str, str]
TAKE = "take:"


class Laid(NamedTuple):
    """What was typed, with what only the other changed put in, and the items they share."""

    sent: Sent
    base: int
    meetings: Sequence[Meeting]

    @property
    def clashes(self) -> Sequence[Meeting]:
        return [meeting for meeting in self.meetings if meeting.clash]


def lay(found: Found, sent: Sent) -> Laid:
    """Lay what was sent over the entry as it is now."""
    base = _base(found, sent)
    if found.entry is None or base == found.version:
        return Laid(sent, base, ())
    was = merging.as_of(g.session, found.entry.id, base)
    typed = html.build(found.study, found.form, found.answers, sent)
    met = list(merging.meetings(found.form, was, found.answers, typed.given()))
    laid = MultiDict(sent)
    for meeting in met:
        if not meeting.clash:
            _put_theirs(found, laid, meeting.key)
    return Laid(laid, base, met)


def _base(found: Found, sent: Sent) -> int:
    """Return the version that was typed over; the older one while choosing goes on."""
    seen, earlier = number(sent.get("seen_version")), number(sent.get("base_version"))
    return earlier if seen == found.version and earlier >= 0 else seen


def number(text: str | None) -> int:
    """Return a version that was sent; nonsense counts as never seen."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else -1


def choose(found: Found, sent: Sent) -> Sent:
    """Return what was sent with the other's answers where they were chosen; all must be."""
    cells = found.form.cells
    asked = [key for key in sent.getlist("clash") if key in cells]
    open_ = [key for key in asked if sent.get(TAKE + key) not in ("mine", "theirs")]
    if open_:
        raise Unacceptable(
            T("Choose which answer is right for {n} item(s).", n=len(open_)),
            [
                Problem(key, T("{item}: choose an answer.", item=called(cells[key])))
                for key in open_
            ],
        )
    chosen = MultiDict(sent)
    for key in asked:
        if sent[TAKE + key] == "theirs":
            _put_theirs(found, chosen, key)
    return chosen


def _put_theirs(found: Found, sent: Sent, key: str) -> None:
    shown = html.inputs(found.form.cells[key], found.answers.get(key))
    for name, value in shown.items():
        sent.setlist(name, value if isinstance(value, list) else [value])
