"""CONSORT 2025 items 17a, 17b, 18, 19, 20a and 20b, written from the records. Pure.

Each item is a heading and paragraphs, in English and in Chinese; who reads them may not learn
more than the facts hold. Numbering as in CONSORT 2025 (Hopewell et al., 14 April 2025).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ecrf.kernel.text import LOCALES, Message, T, Text
from ecrf.study.model import Study
from reports.consort import masking
from reports.consort.access import Access, access
from reports.consort.facts import Drawn, Facts
from reports.consort.wording import Joined, moment, names

SCHEMES: Mapping[str, Message] = {
    "permuted_block": T("permuted blocks of randomly varying size"),
    "big_stick": T("big stick design"),
    "biased_coin": T("biased coin design"),
    "maximal": T("maximal procedure"),
    "urn": T("urn design"),
    "simple": T("simple randomization"),
    "minimise": T("minimisation with a random element"),
    "none": T("no randomization"),
}
DEEDS: Mapping[str, Message] = {
    "list:generate": T("generated"),
    "list:published": T("published"),
    "list:active": T("activated"),
    "list:closed": T("closed"),
    "list:unblinding sign": T("signed the unblinding of"),
    "list:reveal": T("laid open"),
    "list:unblinded package": T("packed with arms"),
}
OTHER_DEED = T("handled")


class Item(NamedTuple):
    """One item of CONSORT 2025."""

    number: str
    title: Text
    paragraphs: tuple[Text, ...]


def items(study: Study, facts: Facts) -> tuple[Item, ...]:
    """Return the items, and after them the flow of participants (22a)."""
    return (
        Item("17a", T("Sequence generation: who, and how"), tuple(_generated(facts))),
        Item("17b", T("Type of randomization, restriction"), tuple(_type(study, facts))),
        Item("18", T("Mechanism of concealment"), tuple(_concealed(facts))),
        Item("19", T("Access to the sequence of who enrolled and assigned"),
             tuple(_access(facts, access(facts)))),
        Item("20a", T("Who was blinded"), tuple(masking.blinded(study, facts))),
        Item("20b", T("How blinding was achieved"), tuple(masking.how(study, facts))),
        Item("22a", T("Flow of participants"), tuple(_flow(facts))),
    )  # fmt: skip


def written(study: Study, facts: Facts, locale: str) -> str:
    """Return everything as plain text in a language."""
    head = T("Randomization and blinding of {study}, CONSORT 2025", study=study.registry)
    made = T("Written from the records of the system at {at}.", at=moment(facts.at))
    parts = [f"{head.in_(locale)}\n{made.in_(locale)}\n"]
    for item in items(study, facts):
        parts.append(f"{item.number}  {item.title.in_(locale)}\n")
        parts += [f"    {paragraph.in_(locale)}\n" for paragraph in item.paragraphs]
    return "\n".join(parts)


def bilingual(study: Study, facts: Facts) -> str:
    return "\n".join(written(study, facts, locale) for locale in LOCALES)


def _generated(facts: Facts) -> Iterator[Text]:
    for drawn in facts.lists:
        yield T(
            "List {n} was generated on {at} by {software}: a generator (HMAC-DRBG with "
            "SHA-256, NIST SP 800-90A) draws it from a secret seed of 256 bits; nobody sees "
            "the sequence.",
            n=drawn.version, at=moment(drawn.generated), software=drawn.software,
        )  # fmt: skip
        deeds = tuple(
            T("{name} {deed} it on {at}", name=h.person.name, at=moment(h.at),
              deed=DEEDS.get(h.action, OTHER_DEED))
            for h in facts.handled if h.list_version == drawn.version
        )  # fmt: skip
        yield T("Acts on list {n}: {acts}.", n=drawn.version, acts=Joined(deeds))
        yield T(
            "Fixed beforehand: Merkle root {root}, seed commitment {seed}, specification hash "
            "{spec}.",
            root=drawn.root, seed=drawn.seed_commitment, spec=drawn.spec_hash,
        )  # fmt: skip
    if not facts.lists:
        yield T("There is no randomization list.")


def _type(study: Study, facts: Facts) -> Iterator[Text]:
    factors = study.randomization.factors if study.randomization else ()
    for drawn in facts.lists:
        yield T(
            "List {n}: {scheme}; arms {arms} in the ratio {ratio}.",
            n=drawn.version, scheme=SCHEMES.get(drawn.scheme, T("another scheme")),
            arms=Joined(tuple(_arm(study, arm) for arm, _ in drawn.ratio)),
            ratio=":".join(str(weight) for _, weight in drawn.ratio),
        )  # fmt: skip
        if factors:
            yield T(
                "Stratified by {factors} ({n} strata).",
                factors=Joined(tuple(factor.label for factor in factors)), n=drawn.strata,
            )  # fmt: skip
        else:
            yield T("Not stratified.")
        yield _restriction(drawn)


def _restriction(drawn: Drawn) -> Text:
    if drawn.restriction is None:
        return T(
            "Sizes of blocks and other restrictions are known to the vault only and are not "
            "told before unblinding (SPIRIT 16a)."
        )
    told = "; ".join(
        f"{name}: {', '.join(map(str, values))}" for name, values in drawn.restriction.items()
    )
    return T("Restriction: {told}.", told=told or "–")


def _arm(study: Study, arm: str) -> Text | str:
    return next((known.label for known in study.arms if known.id == arm), arm)


def _concealed(facts: Facts) -> Iterator[Text]:
    yield T(
        "Central allocation by computer. The list lies in a database of its own, each place "
        "sealed by itself (AES-256-GCM); the system sites work with holds neither the key nor "
        "a way to ask for an arm."
    )
    yield T(
        "A place is given only once consent, signed eligibility and strata are in and the "
        "password was typed again; then the next free place of the stratum, for ever. The "
        "answer is a random number and kit numbers that tell no arm."
    )
    for drawn in facts.lists:
        yield T("List {n}: {count} places given.", n=drawn.version, count=drawn.allocated)


def _access(facts: Facts, found: Access) -> Iterator[Text]:
    yield T(
        "Enrolled: {enrolled} participants, by {enrollers}. Randomized: {randomized}, by "
        "{assigners}.",
        enrolled=len(facts.enrolled), enrollers=names(found.enrollers),
        randomized=len(facts.randomized), assigners=names(found.assigners),
    )  # fmt: skip
    yield T("Handled a list: {people}.", people=names(found.handlers))
    yield T(
        "Reads of the list or of an arm: {n}, by {people}.",
        n=found.reads, people=names(found.readers),
    )  # fmt: skip
    if found.empty:
        yield T(
            "Nobody who enrolled or assigned had handled the list or read an arm: the two sets "
            "of people have no one in common."
        )
    for one in found.exceptions:
        yield T(
            "Exception: {name} enrolled or assigned and has {n} acts of {acts} on the vault's "
            "ledger.",
            name=one.person.name, n=one.times, acts=Joined(one.actions),
        )  # fmt: skip
    yield from _broken(found)
    ledgers = facts.ledgers
    yield T(
        "This rests on {acts} acts in {chains} chains of the ledger (Merkle root {root}) and "
        "on {vault} acts of the vault's ledger (head {link}).",
        acts=ledgers.acts, chains=ledgers.chains, root=ledgers.root,
        vault=ledgers.vault_acts, link=ledgers.vault_link or "–",
    )  # fmt: skip


def _broken(found: Access) -> Iterator[Text]:
    if not found.broken:
        yield T("No code was broken.")
    for one in found.broken:
        yield T(
            "Code broken after randomization: {name}, of {codes} participants; the same person "
            "enrolled or randomized {later} participants afterwards.",
            name=one.person.name, codes=one.codes, later=one.afterwards,
        )  # fmt: skip


def _flow(facts: Facts) -> Iterator[Text]:
    flow = facts.flow
    yield T(
        "Enrolled: {enrolled}; excluded before randomization: {excluded}; still in screening: "
        "{screening}; randomized: {randomized}.",
        enrolled=flow.enrolled, excluded=flow.excluded, screening=flow.screening,
        randomized=flow.randomized,
    )  # fmt: skip
    if not flow.arms:
        yield T("Numbers by arm are told after unblinding.")
    for arm, allocated, treated, completed in flow.arms:
        yield T(
            "{arm}: {allocated} allocated, {treated} treated, {completed} completed the study.",
            arm=arm, allocated=allocated, treated=treated, completed=completed,
        )  # fmt: skip
