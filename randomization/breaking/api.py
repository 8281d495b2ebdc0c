"""The front door of code breaks: the usual one, the one from the vault alone, what is told."""

from ecrf.kernel.access import Role
from randomization.breaking.answers import Waiting, listing, receive
from randomization.breaking.carrying import Told, carried, waiting
from randomization.breaking.emergency import code_break as emergency_break
from randomization.breaking.emergency import identify, role
from randomization.breaking.mirror import Copy, Holder, Mirrored, keep, read, studies
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
    "LONGEST", "REASONS", "REF_BYTES", "SAFETY_REPORTING", "Call", "Copy", "Disclosure",
    "Holder", "Mirrored", "Role", "Told", "Waiting", "Why", "carried", "code_break",
    "emergency_break", "identify", "keep", "listing", "read", "reasons", "receive", "role",
    "send_code", "studies", "waiting",
]  # fmt: skip
