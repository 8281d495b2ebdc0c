"""The front door of supply: what the vault's own pages and the commands may use of it.

Nothing here returns an arm. The same person's rights are asked for again in every service.
"""

from randomization.packing import stock as stock_kits
from randomization.supply import DEPOT, STATES, State
from randomization.supplying.accounts import (
    Balance,
    Line,
    Taken,
    balance,
    settled,
    taken,
)
from randomization.supplying.accounts import read as accountability
from randomization.supplying.arrival import CONDITIONS, Condition, Reading, receive, scan
from randomization.supplying.batches import Part, describe, extend, parts_of
from randomization.supplying.demand import Mode, Need, Rule
from randomization.supplying.destroying import Certificate, Plan, certificates, propose, sign
from randomization.supplying.expiring import expire
from randomization.supplying.giving import LOSSES, Counted, Loss, replace, take_back, whose
from randomization.supplying.holds import hold
from randomization.supplying.holds import read as holds
from randomization.supplying.incidents import WORDS, Word
from randomization.supplying.incidents import listing as incidents
from randomization.supplying.incidents import say as say_of_incident
from randomization.supplying.labelling import relabelled, standing
from randomization.supplying.listing import (
    all_shipments,
    by_state,
    goods,
    quarantined,
    shipment,
    stock,
)
from randomization.supplying.printing import printed
from randomization.supplying.quarantines import CAUSES, Cause, Outcome, decide, put, recall
from randomization.supplying.resupply import Line as Foreseen
from randomization.supplying.resupply import Plan as Resupply
from randomization.supplying.resupply import carry_out as resupply
from randomization.supplying.resupply import foresee
from randomization.supplying.shipments import (
    Goods,
    approve,
    cancel,
    close,
    dispatch,
    order,
    pick,
)
from randomization.supplying.shipping import STAGES, Stage, Step, after

__all__ = [
    "CAUSES", "CONDITIONS", "DEPOT", "LOSSES", "STAGES", "STATES",
    "WORDS", "Balance", "Cause", "Certificate", "Condition", "Counted", "Foreseen", "Goods",
    "Line", "Loss", "Mode", "Need", "Outcome", "Part", "Plan", "Reading", "Resupply", "Rule",
    "Stage", "State", "Step", "Taken", "Word", "accountability", "after", "all_shipments",
    "approve", "balance", "by_state", "cancel", "certificates", "close", "decide", "describe",
    "dispatch", "expire", "extend", "foresee", "goods", "hold", "holds", "incidents", "order",
    "parts_of", "pick", "printed", "propose", "put", "quarantined", "recall", "receive",
    "relabelled", "replace", "resupply", "say_of_incident", "scan", "settled", "shipment",
    "sign", "standing", "stock", "stock_kits", "take_back", "taken", "whose",
]  # fmt: skip
