"""What the acts of the ledger and the parts of an act are called."""

from collections.abc import Mapping
from typing import Any

from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Study, Words
from ecrf.web import placed
from forms.adjudicating import states
from forms.adjudicating.states import State

ACTIONS: Mapping[str, Message] = {
    "participant:enrol": T("enrolled"),
    "site:open": T("opened the site"),
    "site:close": T("closed the site"),
    "participant:announce": T("participant announced"),
    "participant:screen-fail": T("screening failed"),
    "participant:randomize": T("randomized"),
    "participant:come-back": T("came back into the trial"),
    "participant:end": T("left the trial"),
    "participant:kits": T("kits given"),
    "participant:code-break": T("code broken"),
    "code-break:assess": T("impact of an unblinding assessed"),
    "visit:add": T("visit added"),
    "visit:hold": T("visit dated"),
    "visit:ask": T("forms of a visit asked for"),
    "visit:place": T("window of a visit counted anew"),
    "visit:miss": T("visit missed"),
    "visit:reopen": T("visit reopened"),
    "entry:save": T("form saved"),
    "entry:not-done": T("form not done"),
    "entry:recompute": T("form computed again"),
    "entry:upgrade": T("form moved to a new version"),
    "participant:upgrade": T("participant moved to a new version"),
    "study:adopt": T("version put in force at a site"),
    "study:upgrade": T("version being applied at a site"),
    "entry:sign": T("form signed"),
    "alert:acknowledge": T("safety alert acknowledged"),
    "laboratory:ranges": T("reference ranges changed"),
    "laboratory:rejudge": T("stored results looked at again"),
    "laboratory:accept-ranges": T("ranges accepted for stored results"),
    "laboratory:mapping": T("reading of result files changed"),
    "laboratory:stage": T("result file looked at"),
    "laboratory:accept": T("result file being taken in"),
    "laboratory:accepted": T("result file taken in"),
    "laboratory:drop": T("result file put away"),
    "entry:verify": T("items verified against the source"),
    "entry:unverify": T("verification taken back"),
    "entry:review": T("form reviewed"),
    "entry:unreview": T("review mark taken off"),
    "verification:plan": T("plan of verification of a site changed"),
    "query:open": T("query asked"),
    "query:answer": T("query answered"),
    "query:close": T("query closed"),
    "query:reopen": T("query asked again"),
    "query:assign": T("query assigned"),
    "query:cancel": T("query taken back"),
    "quality:exclude": T("finding set aside"),
    "quality:include": T("finding no longer set aside"),
    "quality:rerun": T("all checks run again"),
    "quality:retire": T("own rule retired"),
    "quality:rule": T("own rule made or changed"),
    "data:freeze": T("frozen"),
    "data:unfreeze": T("freeze lifted"),
    "data:lock": T("locked"),
    "data:lock-ask": T("lock asked for"),
    "data:lock-withdraw": T("request to lock withdrawn"),
    "data:relock": T("locked again"),
    "data:unlock": T("unlocked for a while"),
    "data:unlock-ask": T("unlock asked for"),
    "data:unlock-refuse": T("unlock refused"),
    "lock:unwaive": T("waiver withdrawn"),
    "lock:waive": T("waived"),
    "data:export": T("exported"),
    "case:open": T("case opened"),
    "case:resume": T("case resumed"),
    "case:assemble": T("dossier assembled"),
    "case:complete": T("dossier completed"),
    "case:assign": T("case given to adjudicators"),
    "case:chair": T("case given to the chair"),
    "case:ask": T("question of the committee asked"),
    "case:review": T("case in review"),
    "case:compare": T("votes compared"),
    "case:agree": T("case agreed"),
    "case:decide": T("case decided by the chair"),
    "case:reopen": T("case re-opened"),
    "case:withdraw": T("case withdrawn"),
    "double:save": T("one of two entries saved"),
    "double:complete": T("one of two entries handed in"),
    "vote:save": T("vote saved"),
    "vote:sign": T("vote signed"),
    "study:announce": T("study announced"),
    "study:approve": T("definition approved"),
    "study:put in force": T("definition put in force"),
}
PARTS: Mapping[str, Message] = {
    "#state": T("state"),
    "#status": T("status"),
    "#date": T("date"),
    "#organs": T("organs"),
    "#verdict": T("verdict"),
    "#adjudicators": T("Adjudicators"),
    "#chair": T("chair"),
    "#query": T("query"),
    "#vote": T("vote"),
}
"""What an act changes that is no answer of a form."""


def action(name: str) -> Message:
    """Return what an act is called; a name nobody gave words to stands as it is."""
    return ACTIONS.get(name, T("{action}", action=name))


def part(study: Study, refs: Mapping[str, Any], key: str) -> Text:
    """Return what changed: an item by its label, another part by its word."""
    if key in PARTS:
        return PARTS[key]
    return placed.item(study, refs, key.removeprefix("#"))


def value(key: str, said: str) -> Text | str:
    """Return what a part became; the state of a case by its name."""
    return states.NAMES[State(said)] if key == "#state" and said in set(State) else said


def place(study: Study, refs: Mapping[str, Any]) -> Text:
    """Return where an act was done, in the words of the study."""
    where = placed.deed(study, refs) if refs.get("participant") else None
    item = placed.item(study, refs, refs["item"]) if refs.get("item") else None
    rest = [
        str(refs[name]) for name in ("package", "taken", "casebook", "scope") if refs.get(name)
    ]
    said = {
        locale: " · ".join([*(one.in_(locale) for one in (where, item) if one), *rest]) or "–"
        for locale in ("en", "zh")
    }
    return Words(**said)
