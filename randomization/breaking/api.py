"""The front door of code breaks: the usual one, the one from the vault alone, what is told."""

from ecrf.kernel.access import Role
from randomization.breaking.answers import Waiting, listing, receive
from randomization.breaking.cards import OUTCOMES, Seen, Standing, about, holder
from randomization.breaking.cards import see as see_card
from randomization.breaking.cards import seen as cards_seen
from randomization.breaking.cards import standing as packs_standing
from randomization.breaking.carrying import Told, carried, waiting
from randomization.breaking.emergency import code_break as emergency_break
from randomization.breaking.emergency import identify, role
from randomization.breaking.mirror import Copy, Holder, Mirrored, keep, read, studies
from randomization.breaking.packs import KITS, SLOTS, Card, Pack
from randomization.breaking.packs import make as make_pack
from randomization.breaking.pad import combine, word
from randomization.reveal import (
    LONGEST,
    REASONS,
    REF_BYTES,
    SAFETY_REPORTING,
    Call,
    Disclosure,
    Why,
    code_break,
    reasons,
    send_code,
)

__all__ = [
    "KITS",
    "LONGEST",
    "OUTCOMES",
    "REASONS",
    "REF_BYTES",
    "SAFETY_REPORTING",
    "SLOTS",
    "Call",
    "Card",
    "Copy",
    "Disclosure",
    "Holder",
    "Mirrored",
    "Pack",
    "Role",
    "Seen",
    "Standing",
    "Told",
    "Waiting",
    "Why",
    "about",
    "cards_seen",
    "carried",
    "code_break",
    "combine",
    "emergency_break",
    "holder",
    "identify",
    "keep",
    "listing",
    "make_pack",
    "packs_standing",
    "read",
    "reasons",
    "receive",
    "role",
    "see_card",
    "send_code",
    "studies",
    "waiting",
    "word",
]  # fmt: skip
