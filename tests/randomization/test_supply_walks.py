"""Random walks over the whole of supply: whatever is tried in whatever order, books close."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ecrf.kernel.errors import Refused
from randomization import api, supply
from randomization.supply import MOVES, Move, State
from randomization.supplying import api as supplies
from randomization.supplying.api import Cause, Condition, Counted, Goods, Loss, Outcome
from randomization.supplying.shipping import STEPS, Stage, Step
from randomization.supplying.tables import Shipment
from randomization.tables import Kit
from tests.people import ALMA, ANNA, NOON, PAUL, STUDY
from tests.randomization.conftest import FAR, activate, packing, request_, visit, who
from tests.randomization.test_allocate import rows
from tests.randomization.test_shipments import SUE, reading

LATER = NOON + timedelta(days=28)
TODAY = LATER.date()
PLACES = ("PUMCH", supply.DEPOT)
CODES = ("PUMCH-001", "PUMCH-002")


class Walker:
    """Somebody who tries things; `n` picks among what there is, fit or not."""

    def __init__(self, vault):
        self.vault, self.paul, self.sue = vault, who(PAUL, at=LATER), who(SUE, at=LATER)

    def kit(self, n):
        numbers = [r.number for r in rows(self.vault, select(Kit.number).order_by(Kit.id))]
        return numbers[n % len(numbers)]

    def goods(self, n):
        count = rows(self.vault, select(func.count(Shipment.id)))[0][0]
        return Goods(STUDY, "PUMCH", n % (count + 1) + 1)

    def order(self, n):
        supplies.order(self.vault, self.paul, STUDY, "PUMCH", n % 3 + 1)

    def step(self, n):
        steps = (supplies.approve, supplies.pick, supplies.dispatch, supplies.close,
                 supplies.cancel)  # fmt: skip
        steps[n % 5](self.vault, self.sue, self.goods(n // 5))

    def scan(self, n):
        goods = self.goods(n)
        _, kits = supplies.shipment(self.vault, STUDY, ["PUMCH"], goods.number)
        for kit in kits[: n % 7]:
            state = Condition.DAMAGED if n % 3 == 0 else Condition.INTACT
            supplies.scan(self.vault, self.paul, goods, kit.number, state)

    def receive(self, n):
        allowed = reading("3", "9") if n % 4 == 0 else reading()
        supplies.receive(self.vault, self.paul, self.goods(n), allowed)

    def randomize(self, n):
        api.randomize(self.vault, who(ANNA, at=LATER), request_(CODES[n % 2]))

    def assign(self, n):
        api.assign_kits(self.vault, self.paul, visit(CODES[n % 2]), 1, date(2026, 4, 1))

    def dispense(self, n):
        found = rows(
            self.vault,
            select(Kit.number, Kit.participant, Kit.visit).where(Kit.participant.is_not(None)),
        )
        if not found:
            return
        kit = found[n % len(found)]
        number = self.kit(n) if n % 6 == 0 else kit.number
        api.dispense(self.vault, self.paul, visit(kit.participant, kit.visit), number)

    def explain(self, n):
        for line in supplies.incidents(self.vault, STUDY, ["PUMCH"]):
            if not line.status:
                supplies.say_of_incident(self.vault, self.paul, STUDY, "PUMCH", line.number,
                                         supplies.Word.ACKNOWLEDGED, "A slip")  # fmt: skip

    def put(self, n):
        place = PLACES[n % 2]
        by = self.sue if place == supply.DEPOT else self.paul
        supplies.put(self.vault, by, STUDY, place, Cause.DAMAGE, "Torn", [self.kit(n)])

    def recall(self, n):
        supplies.recall(self.vault, self.sue, STUDY, f"P-00{n % 3}", "Leaking")

    def decide(self, n):
        held = supplies.quarantined(self.vault, STUDY, PLACES)
        if held:
            one = held[n % len(held)]
            outcome = Outcome.RELEASED if n % 3 else Outcome.REJECTED
            supplies.decide(self.vault, self.sue, STUDY, one.site, one.number, outcome, "Seen")

    def take_back(self, n):
        counted = Counted(n % 61, 60, TODAY)
        supplies.take_back(self.vault, self.paul, STUDY, "PUMCH", self.kit(n), counted)

    def replace(self, n):
        loss = Loss.LOST if n % 2 else Loss.DAMAGED
        supplies.replace(self.vault, self.paul, STUDY, "PUMCH", self.kit(n), loss, "Fell", FAR)

    def expire(self, n):
        place = PLACES[n % 2]
        by = self.sue if place == supply.DEPOT else self.paul
        supplies.expire(self.vault, by, STUDY, place, TODAY)

    def destroy(self, n):
        place = PLACES[n % 2]
        first, second = self.sue, self.paul if place == "PUMCH" else who(SUE2, at=LATER)
        number = supplies.propose(
            self.vault, first, supplies.Plan(STUDY, place, "Burned", "Here", TODAY)
        )
        for by in (first, second):
            supplies.sign(self.vault, by, STUDY, place, number)


SUE2 = type(SUE)(42, "Sun Yi", SUE.grants)
TRIED = sorted(
    name for name in vars(Walker) if not name.startswith("_") and name not in ("kit", "goods")
)

LIKELY = (
    *("step",) * 10, *("scan",) * 5, *("receive",) * 3, *("order",) * 3, *("dispense",) * 8,
    *("assign",) * 4, *("take_back",) * 8, *("replace",) * 3, *("explain",) * 4,
)  # fmt: skip


def closes(vault):
    """The equations are zero, and every kit is somewhere."""
    for place in PLACES:
        balance = supplies.balance(vault, STUDY, place)
        assert balance.difference == 0, (place, balance)
        settled = supplies.settled(place)
        lines = supplies.accountability(vault, STUDY, place)
        assert len({line.number for line in lines}) == len(lines)
        coming = [line for line in lines if line.state not in settled]
        assert all(line.state is State.IN_TRANSIT for line in coming)


@pytest.mark.parametrize("kind", ["sqlite"])
@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=st.lists(st.tuples(st.sampled_from(TRIED), st.integers(0, 400)), max_size=30))
def test_after_any_sequence_of_acts_the_books_close_to_zero(kind, vault_database, keys, steps):
    from randomization.tables import VaultBase

    VaultBase.metadata.drop_all(vault_database.engine)
    api.create_tables(vault_database)
    vault = api.Vault(vault_database, keys, "test")
    activate(vault)
    soon = packing(2, batch="P-000", expiry=date(2026, 3, 15))
    for one in (soon, packing(4), packing(8, site=supply.DEPOT, batch="P-002")):
        api.register_kits(vault, who(ALMA), one)
    walk(Walker(vault), steps)
    closes(vault)
    assert rows(vault, select(func.count(Kit.id)))[0][0] == 28


def walk(walker, steps):
    done = 0
    for name, n in steps:
        try:
            getattr(walker, name)(n)
            done += 1
        except Refused:
            continue
        closes(walker.vault)
    return done


def test_a_long_walk_goes_everywhere_and_closes_on_the_way(vault):
    """The same walk on both databases; it is long enough to get somewhere."""
    api.register_kits(vault, who(ALMA), packing(20, site=supply.DEPOT, batch="P-002"))
    from ecrf.kernel.chance import Seeded

    draw = Seeded(b"a long walk")
    tried = [*LIKELY, *TRIED]
    steps = [(tried[a % len(tried)], b) for a, b in zip(draw(250), draw(250), strict=True)]
    steps = [step for at, step in enumerate(steps) if step[0] != "recall" or at > 200]
    assert walk(Walker(vault), steps) > 60
    states = {row.state for row in rows(vault, select(Kit.state).distinct())}
    assert len(states) >= 6, states


@given(st.sampled_from(State), st.sampled_from(Move))
def test_a_move_that_is_not_in_the_table_is_refused_for_every_state(state, move):
    assert (supply.after(state, move) is None) is ((state, move) not in MOVES)


@given(st.sampled_from(Stage), st.sampled_from(Step))
def test_a_step_that_is_not_in_the_table_is_refused_for_every_stage(stage, step):
    assert (supplies.after(stage, step) is None) is ((stage, step) not in STEPS)
