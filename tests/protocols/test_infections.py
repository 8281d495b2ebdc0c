"""Virology and tuberculosis: what one result asks for, and what does not go together."""

import pytest

from tests.protocols.trying import tried


@pytest.mark.parametrize(
    "typed, item, due",
    [
        ({"hbcab": "POS", "hbsag": "NEG"}, "hbv_dna_result", True),
        ({"hbcab": "IND", "hbsag": "NEG"}, "hbv_dna_result", True),
        ({"hbcab": "NEG", "hbsag": "POS"}, "hbv_dna_result", True),
        ({"hbcab": "NEG", "hbsag": "NEG"}, "hbv_dna_result", False),
        ({"hbv_dna_result": "VALUE"}, "hbv_dna", True),
        ({"hbv_dna_result": "BLQ"}, "hbv_dna", False),
        ({"hbv_dna_result": "BLQ"}, "hbv_dna_lloq", True),
        ({"hbv_dna_result": "TND"}, "hbv_dna_lloq", False),
        ({"hcv_ab": "POS"}, "hcv_rna", True), ({"hcv_ab": "IND"}, "hcv_rna", True),
        ({"hcv_ab": "NEG"}, "hcv_rna", False),
    ],
)  # fmt: skip
def test_a_result_that_is_not_negative_asks_for_the_next_test(typed, item, due):
    assert ("required" in tried("vir", typed).rules(item)) is due


def test_a_result_below_the_limit_is_a_choice_and_never_a_number():
    refused = tried("vir", {"hbv_dna_result": "VALUE", "hbv_dna": "<20"}).refused
    assert "is a comparison" in refused["hbv_dna"]
    stated = tried("vir", {"hbv_dna_result": "BLQ", "hbv_dna_lloq": "20"})
    assert not stated.refused
    below = {"hbv_dna_result": "VALUE", "hbv_dna": "19.9", "hbv_dna_lloq": "20"}
    assert tried("vir", below).rules("hbv_dna") == {"VIR05"}
    assert not tried("vir", below | {"hbv_dna": "20"}).rules("hbv_dna")


@pytest.mark.parametrize("item", ["hbsag", "hcv_ab", "hiv_agab", "hbcab"])
def test_an_indeterminate_result_is_to_be_repeated(item):
    typed = {item: "IND", "hcv_rna": "POS"}
    assert any(rule.startswith("VIR0") for rule in tried("vir", typed).rules(item))


@pytest.mark.parametrize(
    "igra, done, rules",
    [("POS", "N", {"TB01"}), ("IND", "N", {"TB01"}), ("NEG", "N", set()), ("POS", "Y", set())],
)
def test_an_assay_that_is_not_negative_needs_imaging_of_the_chest(igra, done, rules):
    assert tried("tb", {"igra": igra, "chest_done": done}).rules("chest_done") == rules


def test_signs_on_the_image_contradict_the_conclusion_that_there_is_none():
    said = {"chest_done": "Y", "chest_clear": "N", "tb_active": "N"}
    assert tried("tb", said).rules("tb_active") == {"TB03"}
    assert not tried("tb", said | {"tb_active": "Y"}).rules("tb_active")


@pytest.mark.parametrize("day, old", [("2023-11-30", True), ("2023-12-01", False)])
def test_an_image_of_the_chest_is_at_most_3_months_old(day, old):
    done = tried(
        "tb", {"chest_done": "Y", "chest_date": day}, context={"visit_date": "2024-03-02"}
    )
    assert ("TB04" in done.rules("chest_date")) is old
