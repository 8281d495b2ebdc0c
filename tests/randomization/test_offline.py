"""Offline packs: two shares that tell nothing alone, and what becomes of the cards."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import NotAllowed, NotFound, Unacceptable
from randomization import api, lists
from randomization.breaking import api as breaking
from randomization.breaking import pad
from randomization.breaking.tables import OfflineCard, OfflinePack
from randomization.tables import Reveal
from tests.people import ANNA, BO, CARL, STAN, STUDY
from tests.randomization.conftest import ARMS, request_, who
from tests.randomization.test_allocate import rows
from tests.randomization.test_reveal import acts


@given(st.integers(1, 9), st.binary(min_size=8, max_size=8))
def test_any_arm_comes_back_from_its_two_shares(place, seed):
    site, desk = pad.split(place, Seeded(seed))
    assert pad.combine(site, desk) == pad.combine(f"{desk[:3]} {desk[3:]}", site) == place
    assert len(site) == len(desk) == pad.DIGITS


@pytest.mark.req("BL-07")
@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_share_alone_is_uniformly_random_whatever_the_arm(share, place):
    """χ² of every digit at every position over 3,000 cards; 9 degrees of freedom, p = 1e-6."""
    draw = Seeded(f"uniform {place}".encode())
    shares = [pad.split(place, draw)[share] for _ in range(3000)]
    for position in range(pad.DIGITS):
        seen = Counter(one[position] for one in shares)
        chi = sum((seen[str(digit)] - 300) ** 2 / 300 for digit in range(10))
        assert chi < 48.2, f"position {position}"


def test_every_digit_of_a_share_goes_with_every_arm_equally():
    """With the desk's share fixed there is exactly one site share for each arm: a pad."""
    for desk in range(10):
        for digit in range(10):
            fits = [arm for arm in range(1, 10) if (digit + desk) % 10 == arm]
            assert len(fits) == (0 if (digit + desk) % 10 == 0 else 1)


@given(st.integers(0, 5), st.integers(1, 9))
def test_one_digit_misheard_is_noticed(position, shift):
    site, desk = pad.split(2, Seeded(b"misheard"))
    heard = list(desk)
    heard[position] = str((int(heard[position]) + shift) % 10)
    with pytest.raises(Unacceptable, match="do not fit together"):
        pad.combine(site, "".join(heard))


@pytest.mark.parametrize("share", ["12345", "1234567", "12345x", "", "１２３４５６"])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(Unacceptable, match="6 digits"):
        pad.combine(share, "123456")


def truth(vault):
    with vault.database.read() as session:
        from randomization.tables import ListRow, Slot

        row = session.scalars(select(ListRow)).one()
        slots = session.scalars(select(Slot)).all()
        return {slot.random_number: lists.arm_on(vault, row, slot).opened() for slot in slots}


@pytest.mark.req("BL-07")
def test_the_cards_of_slots_give_each_numbers_arm_and_stand_in_order_of_numbers(vault):
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    known = truth(vault)
    assert made.arms == ARMS
    assert len(made.cards) == len({card.about for card in made.cards}) == 86
    assert [card.about for card in made.cards] == sorted(card.about for card in made.cards)
    for card in made.cards:
        place = breaking.combine(card.site_share, card.desk_share)
        assert made.arms[place - 1] == known[card.about]


def test_the_cards_of_kits_give_the_arm_of_whoever_has_the_kit(vault, anna):
    receipt = api.randomize(vault, anna, request_("PUMCH-001"))
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.KITS)
    assert len(made.cards) == 120
    (card,) = [card for card in made.cards if card.about == receipt.kit_numbers[0]]
    place = breaking.combine(card.site_share, card.desk_share)
    found = api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-001", api.Why.OTHER, "check")
    assert made.arms[place - 1] == found.arm.opened()
    assert breaking.holder(vault, STUDY, card.about) == ("PUMCH", "PUMCH-001")


def test_a_pack_is_on_the_ledger_before_an_arm_is_opened_and_keeps_no_share(vault, monkeypatch):
    opened_at = []
    real = lists.arm_on

    def watch(*arguments):
        opened_at.append(len(acts(vault, "offline:pack")))
        return real(*arguments)

    monkeypatch.setattr(lists, "arm_on", watch)
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    assert set(opened_at) == {1}
    kept = {
        column.name for row in (OfflinePack, OfflineCard) for column in row.__table__.columns
    }
    assert not kept & {"site_share", "desk_share", "share"}
    again = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    assert again.number == made.number + 1


def test_only_the_statistician_makes_cards_and_only_where_there_is_something(vault):
    for actor in (ANNA, CARL):
        with pytest.raises(NotAllowed):
            breaking.make_pack(vault, who(actor), STUDY, "PUMCH", breaking.SLOTS)
    with pytest.raises(NotFound, match="nothing at site TJH"):
        breaking.make_pack(vault, who(STAN), STUDY, "TJH", breaking.KITS)
    with pytest.raises(NotFound, match="nothing at site TJH"):
        breaking.make_pack(vault, who(STAN), STUDY, "TJH", breaking.SLOTS)


def test_drills_and_what_became_of_cards_are_counted_for_the_close_out(vault):
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    see = breaking.see_card
    see(vault, who(ANNA), STUDY, made.number, 3, "drill", "Desk answered within two minutes")
    see(vault, who(ANNA), STUDY, made.number, 4, "missing", "")
    see(vault, who(STAN), STUDY, made.number, 4, "destroyed", "found, destroyed")
    (standing,) = breaking.packs_standing(vault, STUDY)
    assert standing.cards == 86
    assert standing.outcomes == {
        "intact": 84, "drill": 1, "opened": 0, "missing": 0, "destroyed": 1,
    }  # fmt: skip
    (drill,) = breaking.cards_seen(vault, STUDY, "drill")
    assert (drill.card, drill.by_name) == (3, "Anna Li")
    assert len(acts(vault, "offline:card")) == 3
    with pytest.raises(NotAllowed):
        see(vault, who(BO), STUDY, made.number, 3, "intact", "")
    with pytest.raises(NotFound, match="no card 999"):
        see(vault, who(ANNA), STUDY, made.number, 999, "intact", "")
    with pytest.raises(Unacceptable):
        see(vault, who(ANNA), STUDY, made.number, 3, "eaten", "")


def test_an_opened_card_is_a_code_break_that_waits_to_be_carried_over(vault, anna):
    receipt = api.randomize(vault, anna, request_("PUMCH-001"))
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    (card,) = [card for card in made.cards if card.about == receipt.random_number]
    about = breaking.about(vault, STUDY, made.number, card.number)
    site, code = breaking.holder(vault, STUDY, about)
    call = breaking.Call("00000000000000aa", "offline card")
    breaking.send_code(vault, anna, STUDY, site, code, api.Why.OVERDOSE, "Sixty", call)
    (told,) = breaking.waiting(vault)
    assert (told.participant, told.way, told.to_role) == ("PUMCH-001", "offline card", "")
    assert rows(vault, select(Reveal.purpose)) == [("code break",)]
    assert breaking.listing(vault, anna.actor, STUDY) == ()


def test_a_card_of_nobody_is_no_code_break(vault):
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    with pytest.raises(NotFound, match="Nobody has"):
        breaking.holder(vault, STUDY, made.cards[0].about)


def test_a_pack_and_its_cards_do_not_print_an_arm_by_accident(vault):
    made = breaking.make_pack(vault, who(STAN), STUDY, "PUMCH", breaking.SLOTS)
    assert "CANARY" not in repr(made.cards)
