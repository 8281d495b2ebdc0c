"""CONSORT 2025 items 20a and 20b: who was blinded, and how. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from ecrf.kernel.access import BLINDED, TITLES, UNBLINDED, Role
from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Study
from reports.consort.facts import Facts, Person
from reports.consort.wording import Joined, names

MASKING: Mapping[str, Message] = {
    "none": T("open label"),
    "single": T("single blind"),
    "double": T("double blind"),
    "triple": T("triple blind"),
    "quadruple": T("quadruple blind"),
}
ROLES: Mapping[str, Message] = {
    "participant": T("participants"),
    "caregiver": T("care providers"),
    "investigator": T("investigators"),
    "outcomes assessor": T("outcome assessors"),
    "data analyst": T("data analysts"),
}


def blinded(study: Study, facts: Facts) -> Iterator[Text]:
    masked = tuple(ROLES.get(role, role) for role in study.masked)
    yield T(
        "Masking: {masking}. Blinded by the protocol: {masked}.",
        masking=MASKING[study.masking], masked=Joined(masked),
    )  # fmt: skip
    yield T("Held blinded roles: {roles}.", roles=_roles(facts, BLINDED))
    yield T("Held unblinded roles: {roles}.", roles=_roles(facts, UNBLINDED))
    both = _both(facts)
    if both:
        yield T("Held both: {people}.", people=names(both))
    else:
        yield T("Nobody ever held a blinded and an unblinded role in this study.")


def _roles(facts: Facts, wanted: Iterable[Role]) -> Text:
    held = frozenset(wanted)
    return Joined(
        tuple(
            T("{role} ({n})", role=TITLES[role], n=len(facts.granted[role]))
            for role in Role
            if role in held and facts.granted.get(role)
        )
    )


def _both(facts: Facts) -> tuple[Person, ...]:
    sides = [
        {person for role in side for person in facts.granted.get(role, ())}
        for side in (BLINDED, UNBLINDED)
    ]
    return tuple(sorted(sides[0] & sides[1]))


def how(study: Study, facts: Facts) -> Iterator[Text]:
    if study.supply is not None:
        yield T(
            "All packs are called “{product}” and carry one label for all arms but for the kit "
            "number, drawn at random and without regard to the arm; {n} kits were registered.",
            product=study.supply.product, n=facts.kits,
        )  # fmt: skip
    masked = _masked(study)
    if masked:
        yield T("Results that could tell the treatment are hidden: {items}.",
                items=Joined(masked))  # fmt: skip
    else:
        yield T("No item of the forms is hidden for what it could tell.")
    yield T(
        "Whether the treatments look, taste and feel the same is not recorded here and has to "
        "be stated from the manufacturer's documents."
    )


def _masked(study: Study) -> tuple[Text, ...]:
    return tuple(
        cell.question.label
        for form in study.forms.values()
        for cell in form.cells.values()
        if cell.question.blinding == "masked"
    )
