"""CONSORT 2025 items 17a to 20b: the proof of item 19, and what a blinded reader is told."""

import pytest

from ecrf.kernel.access import Role
from reports.consort import access, text
from reports.consort.facts import (
    Decided,
    Drawn,
    Facts,
    Flow,
    Handled,
    Ledgers,
    Looked,
    Person,
)

ANNA, BO, PAUL, STAN = (Person(n, name) for n, name in enumerate(
    ("Anna Li", "Bo Zhang", "Paul Sun", "Stan Luo"), 1))  # fmt: skip
LIST = Drawn(
    1, "active", "permuted_block", (("MMF", 1), ("PBO", 1)), 6, "r" * 64, "c" * 64, "s" * 64,
    "ecrf 1", "2026-01-01T00:00:00.0Z", "", "", 2, {"sizes": (4, 6)},
)  # fmt: skip
AT = "2026-03-0{}T00:00:00.000000+00:00"


def facts(**other):
    given = {
        "at": AT.format(9), "lists": (LIST,),
        "handled": (Handled(AT.format(1), STAN, "list:generate", 1),),
        "reads": (Looked(AT.format(4), PAUL, "reveal:preparation", False, "PUMCH-001"),),
        "enrolled": (Decided(AT.format(2), ANNA, "PUMCH-001"),
                     Decided(AT.format(5), BO, "BFH-001")),
        "randomized": (Decided(AT.format(3), ANNA, "PUMCH-001"),),
        "granted": {Role.INVESTIGATOR: (ANNA, BO), Role.PHARMACIST: (PAUL,)},
        "ledgers": Ledgers(4, 100, "m" * 64, 20, "v" * 64), "kits": 24,
        "flow": Flow(2, 0, 1, 1),
    }  # fmt: skip
    return Facts(**{**given, **other})


@pytest.mark.req("RZ-01", "EX-08")
def test_nobody_on_both_sides_is_said_with_counts_and_the_heads_it_rests_on(study):
    found = access.access(facts())
    assert found.empty
    assert (found.enrollers, found.assigners) == ((ANNA, BO), (ANNA,))
    assert (found.handlers, found.readers, found.reads) == ((STAN,), (PAUL,), 1)
    said = text.written(study, facts(), "en")
    assert "the two sets of people have no one in common" in said
    assert "m" * 64 in said and "v" * 64 in said and "100 acts in 4 chains" in said


@pytest.mark.parametrize(
    "other",
    [
        {"reads": (Looked(AT.format(1), ANNA, "reveal:preparation", False, "PUMCH-002"),)},
        {"handled": (Handled(AT.format(1), ANNA, "list:generate", 1),)},
        {"reads": (Looked(AT.format(9), BO, "closed:read", False, ""),)},
    ],
)
def test_whoever_is_on_both_sides_is_named(study, other):
    found = access.access(facts(**other))
    (one,) = found.exceptions
    said = text.written(study, facts(**other), "en")
    assert f"Exception: {one.person.name} enrolled or assigned" in said
    assert "no one in common" not in said


def test_a_code_break_is_no_exception_but_told_with_who_was_let_in_afterwards(study):
    breaks = (
        Looked(AT.format(4), ANNA, "reveal:code break", True, "PUMCH-001"),
        Looked(AT.format(4), BO, "reveal:code break", True, "PUMCH-001"),
    )
    found = access.access(facts(reads=breaks))
    assert found.empty
    assert [(b.person, b.codes, b.afterwards) for b in found.broken] == [
        (ANNA, 1, 0), (BO, 1, 1),
    ]  # fmt: skip
    assert "Bo Zhang, of 1 participants" in text.written(study, facts(reads=breaks), "en")


@pytest.mark.req("RZ-02", "L3")
def test_sizes_of_blocks_are_told_to_who_may_know_them_only(study):
    told = text.bilingual(study, facts())
    assert "sizes: 4, 6" in told
    kept = text.bilingual(study, facts(lists=(LIST._replace(restriction=None),)))
    assert "sizes" not in kept and "4, 6" not in kept
    assert "known to the vault only" in kept


def test_every_item_is_there_in_both_languages(study):
    for locale in ("en", "zh"):
        said = text.written(study, facts(), locale)
        assert [
            n for n in ("17a", "17b", "18", "19", "20a", "20b", "22a") if f"\n{n}  " in said
        ]
        assert said.count("{") == 0
    assert "入组或分配受试者的人员均未操作随机表" in text.written(study, facts(), "zh")


def test_holders_of_both_sides_are_named(study):
    both = {Role.INVESTIGATOR: (ANNA,), Role.PHARMACIST: (ANNA, PAUL)}
    assert "Held both: Anna Li." in text.written(study, facts(granted=both), "en")
    assert "Nobody ever held" in text.written(study, facts(), "en")


def test_the_flow_by_arm_is_told_after_unblinding_only(study):
    assert "Numbers by arm are told after unblinding" in text.written(study, facts(), "en")
    flow = Flow(2, 0, 1, 1, (("MMF", 1, 1, 0), ("PBO", 0, 0, 0)))
    said = text.written(study, facts(flow=flow), "en")
    assert "MMF: 1 allocated, 1 treated, 0 completed the study." in said
