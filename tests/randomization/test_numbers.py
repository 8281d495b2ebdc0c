"""Numbers: opaque, checked by Damm's digit, never given twice."""

from collections import Counter

import pytest

from ecrf.kernel.chance import Seeded
from randomization import numbers


def test_damms_own_example_has_its_digit():
    assert numbers.check_digit("572") == "4"
    assert numbers.check_digit("5724") == "0"


def test_every_wrong_digit_and_every_swap_of_neighbours_is_noticed():
    for number in numbers.fresh(Seeded(b"slips"), numbers.KIT, 50, ()):
        assert numbers.valid(number)
        for at in range(1, 8):
            for digit in "0123456789":
                slip = number[:at] + digit + number[at + 1 :]
                assert numbers.valid(slip) == (slip == number)
        for at in range(1, 7):
            swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
            assert numbers.valid(swapped) == (swapped == number)


@pytest.mark.parametrize("typed", ["", "K", "K123", "X0000000", "K00000000", "K٠٠٠٠٠٠٠"])
def test_what_is_no_number_is_not_taken_for_one(typed):
    assert not numbers.valid(typed)


def test_a_number_may_be_typed_with_spaces_and_small_letters():
    assert numbers.tidy(" k482 913-7 ") == "K4829137"


def test_no_number_is_given_twice():
    first = numbers.fresh(Seeded(b"first"), numbers.RANDOM, 2000, ())
    second = numbers.fresh(Seeded(b"first"), numbers.RANDOM, 2000, set(first))
    assert len({*first, *second}) == 4000


def test_numbers_are_those_of_the_words_drawn_one_by_one():
    draw, words = Seeded(b"words"), Seeded(b"words")
    one_by_one = {f"{numbers.below(draw, numbers.SPACE):06d}": None for _ in range(3000)}
    found = numbers.fresh(words, numbers.KIT, len(one_by_one), ())
    assert [number[1:7] for number in found] == list(one_by_one)
    assert draw(4) == words(4)


def test_numbers_stop_before_the_space_is_full():
    with pytest.raises(ValueError, match="at most"):
        numbers.fresh(Seeded(b""), numbers.KIT, numbers.FULLEST + 1, ())


def test_orders_are_fair():
    counts = Counter(
        tuple(numbers.order(Seeded(f"order {n}".encode()), 4)) for n in range(4800)
    )
    assert len(counts) == 24
    assert sum((n - 200) ** 2 / 200 for n in counts.values()) < 53
