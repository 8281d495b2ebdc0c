"""The front door of supply: what the vault's own pages and the commands may use of it.

Nothing here returns an arm. The same person's rights are asked for again in every service.
"""

from randomization.supply import DEPOT, STATES, State
from randomization.supplying.accounts import SETTLED, Balance, Line, Taken, balance, taken
from randomization.supplying.accounts import read as accountability
from randomization.supplying.arrival import CONDITIONS, Condition, Reading, receive, scan
from randomization.supplying.destroying import Certificate, Plan, certificates, propose, sign
from randomization.supplying.expiring import expire
from randomization.supplying.giving import LOSSES, Counted, Loss, replace, take_back, whose
from randomization.supplying.listing import (
    all_shipments,
    by_state,
    goods,
    quarantined,
    shipment,
    stock,
)
from randomization.supplying.quarantines import CAUSES, Cause, Outcome, decide, put, recall
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
    "CAUSES", "CONDITIONS", "DEPOT", "LOSSES", "SETTLED", "STAGES", "STATES", "Balance",
    "Cause", "Certificate", "Condition", "Counted", "Goods", "Line", "Loss", "Outcome",
    "Plan", "Reading", "Stage", "State", "Step", "Taken", "accountability", "after",
    "all_shipments", "approve", "balance", "by_state", "cancel", "certificates", "close",
    "decide", "dispatch", "expire", "goods", "order", "pick", "propose", "put", "quarantined",
    "recall", "receive", "replace", "scan", "shipment", "sign", "stock", "take_back", "taken",
    "whose",
]  # fmt: skip
