"""What the page of an entry shows around its answers: rights, signatures, words, ways on."""

from urllib.parse import quote

from flask import g

from ecrf.kernel.access import TITLES, Right
from ecrf.web import changes, prompts, referring, reviewed, where
from ecrf.web.spot import Spot
from forms import due, ladder, signing
from forms.files import keeping
from forms.lookup import Found
from forms.review.marks import LABELS
from forms.unblinded import later
from visits.windows import civil_date


def allowed(found: Found, *, second: bool) -> dict[str, object]:
    """Return what the person may do here, and what stands against writing."""
    barred = ladder.closed(found.place, ladder.OPEN, g.by.at) or due.not_due(found)
    may = {right.name: g.actor.may(right, *_where(found)) for right in Right}
    return {
        "may": may,
        "barred": barred,
        "writable": may["ENTRY_WRITE"] and barred is None and not second,
        "unlocked": ladder.closed(found.place, ladder.UNLOCKED, g.by.at) is None,
    }


def signed(found: Found) -> dict[str, object]:
    """Return the entry's signatures, and whether one stands or was broken by a change."""
    entry = found.entry
    return {
        "signatures": signing.of_entry(g.session, entry.id) if entry else [],
        "standing": entry is not None and signing.standing(entry),
        "broken": entry is not None and signing.broken(entry),
    }


def words(found: Found) -> dict[str, object]:
    """Return how answers, items and roles are said on this page."""
    return {
        "said": lambda key, answer: changes.words(found, key, answer),
        "told": lambda item, stored: changes.told(found, item, stored),
        "name_of": lambda key: changes.name(found, key),
        "typed_as": lambda given: given.missing or f"{given.text} {given.unit}".strip() or "–",
        "review_labels": LABELS, "titles": TITLES,
    }  # fmt: skip


def beside(spot: Spot, found: Found) -> dict[str, object]:
    """Return what stands around the answers: files, review, clocks, where to go next."""
    return {
        "files": keeping.versions(g.session, found), "review": reviewed.around(found),
        "later": bool(_later(found)), "led": prompts.led(found),
        "clocks": prompts.clocks(found, g.by.at), "refer": referring.referring(found),
        "cancel": where.visit(spot.study_id, spot.code, spot.key),
        "after": after(spot, found), "another": _another(spot, found),
        "zone": found.site.zone, "today": civil_date(g.by.at, found.site.zone),
    }  # fmt: skip


def _later(found: Found) -> frozenset[int]:
    """Say whether the entry was first saved after the participant's code was broken."""
    at, entry = found.participant.unblinded_at, found.entry
    return later.after_unblinding(g.session, at, [entry.id] if entry else [])


def _where(found: Found) -> tuple[str, str]:
    return found.participant.study, found.participant.site


def after(spot: Spot, found: Found) -> str:
    """Return the page of the next form of the visit, or of the visit after the last."""
    visit = where.visit(spot.study_id, spot.code, spot.key)
    planned = [a.form for a in found.study.forms_at(found.visit.plan)]
    known = [form for form in planned if form in found.study.forms]
    following = known[known.index(spot.form) + 1 :]
    return f"{visit}/{quote(following[0])}" if following else visit


def _another(spot: Spot, found: Found) -> str | None:
    """Return the page of the next number of a repeating form."""
    if not found.form.repeating or found.entry is None:
        return None
    return spot._replace(number=found.last_number + 1).path
