"""What the acts on an entry, and the ways they come in, are called wherever they are told."""

from collections.abc import Mapping

from ecrf.kernel.ledger import Origin
from ecrf.kernel.text import Message, T

ACTIONS: Mapping[str, Message] = {
    "entry:save": T("Saved"),
    "entry:not-done": T("Marked as not done"),
    "entry:recompute": T("Computed again"),
    "entry:upgrade": T("Moved to a new version"),
    "entry:sign": T("Signed"),
    "entry:verify": T("Verified against the source"),
    "entry:unverify": T("No longer verified"),
    "double:save": T("One of two entries saved"),
    "double:complete": T("One of two entries handed in"),
    "entry:review": T("Reviewed"),
    "entry:unreview": T("Review mark taken off"),
    "query:open": T("Query opened"),
    "query:answer": T("Query answered"),
    "query:close": T("Query closed"),
    "query:reopen": T("Query opened again"),
    "query:cancel": T("Query cancelled"),
    "query:assign": T("Query assigned"),
}
WAYS: Mapping[str, Message] = {
    Origin.PAGE: T("page"),
    Origin.API: T("programs' interface"),
    Origin.IMPORT: T("import"),
    Origin.COMMAND: T("command"),
    Origin.JOB: T("job"),
    Origin.SYSTEM: T("system"),
}
