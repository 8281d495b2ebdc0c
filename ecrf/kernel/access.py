"""Who may do what. This page is the whole answer; nothing elsewhere grants a right.

A person holds a role in a study, at one site or (site None) at every site. Blinded and
unblinded roles exclude one another for one person in one study, for ever: `conflict` looks at
all grants a person ever had there, also ended ones. ICH E6(R3) 4.1.2, EMA A3.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ecrf.kernel.text import Message, T


class Right(StrEnum):
    """Named `<thing>:<act>`; kept in alphabetical order."""

    ACCOUNT_MANAGE = "account:manage"
    ADJUDICATION_CHAIR = "adjudication:chair"
    ADJUDICATION_MANAGE = "adjudication:manage"
    ADJUDICATION_READ = "adjudication:read"
    ADJUDICATION_WRITE = "adjudication:write"
    ALERT_ACKNOWLEDGE = "alert:acknowledge"
    ALLOCATION_FORCE = "allocation:force"
    BREAK_ASSESS = "break:assess"
    BREAK_READ = "break:read"
    BREAK_RECEIVE = "break:receive"
    CLOSED_MAKE = "closed:make"
    CLOSED_READ = "closed:read"
    CODE_BREAK = "code:break"
    DATA_EXPORT = "data:export"
    DATA_FREEZE = "data:freeze"
    DATA_LOCK = "data:lock"
    DATA_LOCK_WHOLE = "data:lock-whole"
    DATA_VERIFY = "data:verify"
    DOUBLE_SETTLE = "double:settle"
    ENTRY_READ = "entry:read"
    ENTRY_SIGN = "entry:sign"
    ENTRY_WRITE = "entry:write"
    KIT_DISPENSE = "kit:dispense"
    LABORATORY_MANAGE = "laboratory:manage"
    LEDGER_READ = "ledger:read"
    LIST_ACTIVATE = "list:activate"
    LIST_MANAGE = "list:manage"
    PARTICIPANT_ENROL = "participant:enrol"
    PARTICIPANT_RANDOMIZE = "participant:randomize"
    PARTICIPANT_READ = "participant:read"
    PREPARATION_READ = "preparation:read"
    QUALITY_MANAGE = "quality:manage"
    QUALITY_READ = "quality:read"
    QUERY_ANSWER = "query:answer"
    QUERY_CLOSE = "query:close"
    QUERY_OPEN = "query:open"
    QUERY_READ = "query:read"
    RANDOMIZATION_READ = "randomization:read"
    READS_READ = "reads:read"
    REVIEW_DATA = "review:data"
    REVIEW_MEDICAL = "review:medical"
    SITE_OPEN = "site:open"
    STRATUM_CORRECT = "stratum:correct"
    STUDY_APPROVE = "study:approve"
    STUDY_READ = "study:read"
    SUPPLY_MANAGE = "supply:manage"
    SUPPLY_READ = "supply:read"
    TREATMENT_READ = "treatment:read"
    VERIFICATION_PLAN = "verification:plan"


class Role(StrEnum):
    INVESTIGATOR = "site investigator"
    DELEGATE = "signing delegate"
    COORDINATOR = "study coordinator"
    PHARMACIST = "unblinded pharmacist"
    SUPPLIER = "unblinded supply manager"
    PREPARER = "unblinded preparer"
    STATISTICIAN = "unblinded statistician"
    BOARD = "data monitoring board member"
    SAFETY_OFFICER = "unblinded safety officer"
    DATA_MANAGER = "data manager"
    MONITOR = "monitor"
    MEDICAL_REVIEWER = "medical reviewer"
    MEDICAL_MONITOR = "medical monitor"
    ADJUDICATOR = "adjudicator"
    CHAIR = "adjudication chair"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


R = Right
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.INVESTIGATOR: frozenset({
        R.ALERT_ACKNOWLEDGE, R.BREAK_READ,
        R.CODE_BREAK, R.DOUBLE_SETTLE, R.ENTRY_READ, R.ENTRY_SIGN, R.ENTRY_WRITE,
        R.LEDGER_READ,
        R.PARTICIPANT_ENROL, R.PARTICIPANT_RANDOMIZE, R.PARTICIPANT_READ, R.QUERY_ANSWER,
        R.QUERY_READ, R.STRATUM_CORRECT, R.STUDY_READ,
    }),
    Role.DELEGATE: frozenset({
        R.ENTRY_READ, R.ENTRY_SIGN, R.LEDGER_READ, R.PARTICIPANT_READ, R.QUERY_READ,
        R.STUDY_READ,
    }),
    Role.COORDINATOR: frozenset({
        R.DOUBLE_SETTLE, R.ENTRY_READ, R.ENTRY_WRITE, R.LEDGER_READ, R.PARTICIPANT_ENROL,
        R.PARTICIPANT_READ, R.QUERY_ANSWER, R.QUERY_READ, R.STUDY_READ,
    }),
    Role.PHARMACIST: frozenset({R.KIT_DISPENSE, R.SUPPLY_READ, R.TREATMENT_READ}),
    Role.SUPPLIER: frozenset({R.ALLOCATION_FORCE, R.SUPPLY_MANAGE, R.SUPPLY_READ}),
    Role.PREPARER: frozenset({R.PREPARATION_READ}),
    Role.STATISTICIAN: frozenset({
        R.ALLOCATION_FORCE, R.CLOSED_MAKE, R.CLOSED_READ, R.LIST_ACTIVATE, R.LIST_MANAGE,
        R.RANDOMIZATION_READ, R.READS_READ,
    }),
    Role.BOARD: frozenset({R.CLOSED_READ}),
    Role.SAFETY_OFFICER: frozenset({R.BREAK_RECEIVE, R.CODE_BREAK}),
    Role.DATA_MANAGER: frozenset({
        R.ADJUDICATION_MANAGE, R.ADJUDICATION_READ, R.ALERT_ACKNOWLEDGE, R.BREAK_READ,
        R.DATA_EXPORT,
        R.DATA_FREEZE, R.DATA_LOCK, R.DATA_LOCK_WHOLE, R.DOUBLE_SETTLE, R.ENTRY_READ,
        R.LABORATORY_MANAGE, R.LEDGER_READ, R.LIST_ACTIVATE,
        R.PARTICIPANT_READ, R.QUALITY_MANAGE, R.QUALITY_READ, R.QUERY_CLOSE, R.QUERY_OPEN,
        R.QUERY_READ, R.RANDOMIZATION_READ, R.REVIEW_DATA,
        R.SITE_OPEN, R.STRATUM_CORRECT, R.STUDY_APPROVE, R.STUDY_READ, R.VERIFICATION_PLAN,
    }),
    Role.MONITOR: frozenset({
        R.ALERT_ACKNOWLEDGE,
        R.DATA_VERIFY, R.ENTRY_READ, R.LEDGER_READ, R.PARTICIPANT_READ, R.QUALITY_READ,
        R.QUERY_CLOSE,
        R.QUERY_OPEN, R.QUERY_READ, R.STUDY_READ,
    }),
    Role.MEDICAL_REVIEWER: frozenset({
        R.ENTRY_READ, R.LEDGER_READ, R.PARTICIPANT_READ, R.QUERY_OPEN, R.QUERY_READ,
        R.REVIEW_MEDICAL, R.STUDY_READ,
    }),
    Role.MEDICAL_MONITOR: frozenset({
        R.ALERT_ACKNOWLEDGE, R.BREAK_ASSESS, R.BREAK_READ, R.CODE_BREAK, R.ENTRY_READ,
        R.LEDGER_READ, R.PARTICIPANT_READ, R.QUERY_OPEN, R.QUERY_READ, R.STUDY_READ,
    }),
    Role.ADJUDICATOR: frozenset({R.ADJUDICATION_WRITE, R.STUDY_READ}),
    Role.CHAIR: frozenset({R.ADJUDICATION_CHAIR, R.ADJUDICATION_WRITE, R.STUDY_READ}),
    Role.AUDITOR: frozenset({
        R.ADJUDICATION_READ, R.BREAK_READ,
        R.ENTRY_READ, R.LEDGER_READ, R.PARTICIPANT_READ, R.QUERY_READ, R.RANDOMIZATION_READ,
        R.READS_READ, R.STUDY_READ,
    }),
    Role.ADMINISTRATOR: frozenset({R.ACCOUNT_MANAGE, R.STUDY_READ}),
}  # fmt: skip

TITLES: dict[str, Message] = {
    Role.INVESTIGATOR: T("site investigator"),
    Role.DELEGATE: T("signing delegate"),
    Role.COORDINATOR: T("study coordinator"),
    Role.PHARMACIST: T("unblinded pharmacist"),
    Role.SUPPLIER: T("unblinded supply manager"),
    Role.PREPARER: T("unblinded preparer"),
    Role.STATISTICIAN: T("unblinded statistician"),
    Role.BOARD: T("data monitoring board member"),
    Role.SAFETY_OFFICER: T("unblinded safety officer"),
    Role.DATA_MANAGER: T("data manager"),
    Role.MONITOR: T("monitor"),
    Role.MEDICAL_REVIEWER: T("medical reviewer"),
    Role.MEDICAL_MONITOR: T("medical monitor"),
    Role.ADJUDICATOR: T("adjudicator"),
    Role.CHAIR: T("adjudication chair"),
    Role.AUDITOR: T("auditor"),
    Role.ADMINISTRATOR: T("administrator"),
}

UNBLINDING = frozenset({
    R.ALLOCATION_FORCE, R.BREAK_RECEIVE, R.CLOSED_MAKE, R.CLOSED_READ, R.LIST_MANAGE,
    R.PREPARATION_READ, R.SUPPLY_READ, R.TREATMENT_READ,
})  # fmt: skip
"""Rights whose holder learns arms, or what depends on them."""
UNBLINDED = frozenset(role for role, rights in RIGHTS.items() if rights & UNBLINDING)
BLINDED = frozenset(Role) - UNBLINDED
COMMITTEE = frozenset(role for role, rights in RIGHTS.items() if R.ADJUDICATION_WRITE in rights)
"""Who judges events. They have read no entry and no treatment of the study otherwise."""
INSIDERS = frozenset(
    role for role, rights in RIGHTS.items() if rights & {R.ENTRY_READ, R.TREATMENT_READ}
)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role in a study; `site` None means every site of the study."""

    study: str
    role: Role
    site: str | None = None

    def covers(self, study: str, site: str | None) -> bool:
        return self.study == study and (site is None or self.site in (None, site))


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind an act, with the grants in force at that moment."""

    id: int
    name: str
    grants: frozenset[Grant]

    def may(self, right: Right, study: str, site: str | None = None) -> bool:
        """Say whether `right` holds at `site`; without a site, whether it holds anywhere."""
        return self.role_for(right, study, site) is not None

    def may_anywhere(self, right: Right) -> bool:
        """Say whether `right` holds in some study; loading the thing then decides where."""
        return any(right in RIGHTS[grant.role] for grant in self.grants)

    def role_for(self, right: Right, study: str, site: str | None = None) -> Role | None:
        """Return the role under which the act is done, the first in the order of `Role`."""
        held = {
            g.role for g in self.grants if g.covers(study, site) and right in RIGHTS[g.role]
        }
        return next((role for role in Role if role in held), None)

    def sites(self, right: Right, study: str) -> frozenset[str] | None:
        """Return the sites at which `right` holds; None means every site of the study."""
        held = {g.site for g in self.grants if g.study == study and right in RIGHTS[g.role]}
        return None if None in held else frozenset(site for site in held if site is not None)

    @property
    def studies(self) -> frozenset[str]:
        return frozenset(grant.study for grant in self.grants)


def conflict(roles: Iterable[Role]) -> bool:
    """Say whether these roles, held at any time by one person in one study, break the blind.

    A committee's blind is broken, too, by whoever reads entries, the opinion of a site among
    them.
    """
    held = set(roles)
    unblinded = bool(held & UNBLINDED) and bool(held & BLINDED)
    return unblinded or (bool(held & COMMITTEE) and bool(held & INSIDERS))
