"""Enter a visit as a site does: its date, its forms one by one, the signatures they ask for."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.cli.demonstration.filling import always
from ecrf.cli.demonstration.profile import Source
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Unacceptable
from ecrf.kernel.ledger import By
from ecrf.study.expr import paths
from ecrf.study.model import Cell, Form, ItemType
from forms import entries, lookup, signing
from forms.answers import Given
from forms.asked import asked
from forms.casebook import required
from forms.lookup import Found
from forms.tables import Entry
from visits import lookup as visit_lookup
from visits import visits
from visits.tables import Participant

Sources = Mapping[str, Mapping[str, Source]]
SUPPLIED = {"random_number", "kits"}


def enter(
    stage: Stage, session: Session, by: By, code: str, key: str, on: date,
    variants: tuple[str, ...] = (), *, careful: bool = False,
) -> None:  # fmt: skip
    """Set the visit's date and fill every form required at it; `careful` makes no mistakes."""
    found = visit_lookup.visit(session, by.actor, stage.study.id, code, key, Right.ENTRY_WRITE)
    visits.hold(session, by, found, on)
    sources = _sources(stage, variants)
    slips = not careful
    for form in _required(stage, found.visit.plan, found.visit.asked):
        if after_supply(form):
            continue
        if slips and not form.signed and stage.choose.chance(stage.profile.mishaps.not_entered):
            continue
        number = next_number(stage, session, code, form.id) if form.repeating else 1
        given = sources.get(form.id, {})
        save(stage, session, by, code, key, form, number, on, given, slips=slips)


def enter_after_supply(
    stage: Stage, session: Session, by: By, code: str, key: str, on: date
) -> None:
    """Fill the required forms that show the randomization or the kits of the visit."""
    found = visit_lookup.visit(session, by.actor, stage.study.id, code, key, Right.ENTRY_WRITE)
    sources = _sources(stage, ())
    for form in _required(stage, found.visit.plan, found.visit.asked):
        if after_supply(form):
            given = sources.get(form.id, {})
            save(stage, session, by, code, key, form, 1, on, given, slips=False)


def after_supply(form: Form) -> bool:
    """Say whether the form shows what is known only after the kits are assigned."""
    derived = (cell.question.derive for cell in form.cells.values())
    return any(d is not None and paths(d.tree) & SUPPLIED for d in derived)


def save(
    stage: Stage, session: Session, by: By, code: str, key: str, form: Form, number: int,
    on: date, sources: Mapping[str, Source], *, slips: bool = True,
) -> None:  # fmt: skip
    """Fill and save one form; what is refused is left blank, as a person would do."""
    found = lookup.entry(
        session, by.actor, stage.study.id, code, key, form.id, number, Right.ENTRY_WRITE,
        lock=True,
    )  # fmt: skip
    given = _filled(stage, found, on, sources)
    if slips:
        given = _with_mishaps(stage, form, given)
    for _ in range(3):
        try:
            entries.save(
                session, by, found, given, seen_version=found.version, reason=None,
                complete=True,
            )  # fmt: skip
        except Unacceptable as no:
            refused = {problem.item for problem in no.problems}
            given = {item: answer for item, answer in given.items() if item not in refused}
        else:
            return
    raise ValueError(f"the form {form.id} cannot be filled: {sorted(refused)}")


def _filled(
    stage: Stage, found: Found, on: date, sources: Mapping[str, Source]
) -> dict[str, Given]:
    """Fill what is always asked, then what the answers given make the form ask for."""
    filler, form = stage.filler, found.form
    given = filler.fill(form, on, sources, always, found.visit.plan)
    for _ in range(2):
        seen = asked(found.study, form, found.answers, given, found.context)
        if not seen.required and not seen.surplus & given.keys():
            break
        more = filler.fill(form, on, {}, partial(_among, seen.required))
        given = {**more, **{key: a for key, a in given.items() if key not in seen.surplus}}
    return given


def _among(keys: frozenset[str], cell: Cell) -> bool:
    return cell.key in keys


def sign(
    stage: Stage, session: Session, by: By, code: str, key: str, form: Form, number: int = 1
) -> None:
    """Sign the form as the investigator of the site."""
    found = lookup.entry(
        session, by.actor, stage.study.id, code, key, form.id, number, Right.ENTRY_SIGN,
        lock=True,
    )  # fmt: skip
    if found.entry is not None and found.form.signed is not None:
        zone = stage.zone(found.participant.site)
        signing.sign(session, by, found, zone=zone, seen_version=found.version)


def next_number(stage: Stage, session: Session, code: str, form: str) -> int:
    """Return the number the next entry of a repeating form gets."""
    highest = session.scalar(
        select(func.max(Entry.number))
        .join(Participant, Participant.id == Entry.participant_id)
        .where(
            Participant.study == stage.study.id, Participant.code == code, Entry.form == form
        )
    )
    return (highest or 0) + 1


def signed_forms(stage: Stage, plan_id: str) -> list[Form]:
    return [form for form in _required(stage, plan_id) if form.signed is not None]


def sources_of(stage: Stage, form: str, variants: tuple[str, ...] = ()) -> Mapping[str, Source]:
    return _sources(stage, variants).get(form, {})


def _required(stage: Stage, plan_id: str, asked: str = "") -> list[Form]:
    """Return the forms required at the visit; the one that decides eligibility is last."""
    known = [stage.study.forms[form] for form in required(stage.study, plan_id, asked)]
    extra = stage.profile.happening.log if stage.profile.happening else None
    single = [form for form in known if form.id != extra]
    last = stage.study.randomization.form if stage.study.randomization else None
    return sorted(single, key=lambda form: form.id == last)


def _sources(stage: Stage, variants: tuple[str, ...]) -> Sources:
    """Return the profile's answers with variants laid over them, the last on top."""
    laid: Sources = stage.profile.forms
    for variant in variants:
        over = stage.profile.variants.get(variant, {})
        laid = {form: {**laid.get(form, {}), **over.get(form, {})} for form in {*laid, *over}}
    return laid


def _with_mishaps(stage: Stage, form: Form, given: dict[str, Given]) -> dict[str, Given]:
    if form.signed is not None or not given:
        return given
    mishaps = stage.profile.mishaps
    if stage.choose.chance(mishaps.left_blank):
        given.pop(stage.choose.of(sorted(given)), None)
    numbers = list(_numbers(form, given))
    if numbers and stage.choose.chance(mishaps.typing_error):
        key = stage.choose.of(numbers)
        given[key] = given[key]._replace(text=_slipped(given[key].text))
    return given


def _numbers(form: Form, given: Mapping[str, Given]) -> Iterator[str]:
    for key in sorted(given):
        numeric = form.cells[key].question.type in (ItemType.INTEGER, ItemType.DECIMAL)
        if numeric and given[key].text:
            yield key


def _slipped(text: str) -> str:
    """Return a number as a slip of the hand makes it: digits changed round, or one doubled."""
    if "." in text or len(text) < 2:
        return text + text[-1] if "." not in text else text
    return text[1] + text[0] + text[2:] if text[1] != "0" else text + "0"
