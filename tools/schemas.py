"""The tables of each database, all packages' together. For tests and for writing revisions."""

import forms.adjudicating.tables
import forms.double.tables
import forms.drafts.tables
import forms.laboratory.tables
import forms.quality.tables
import forms.review.tables
import forms.tables
import visits.tables
from ecrf.kernel import jobs, ledger, outbox, people, signatures
from ecrf.kernel.db import Base
from ecrf.study import tables

MAKERS = (
    forms.adjudicating.tables,
    forms.double.tables,
    forms.drafts.tables,
    forms.laboratory.tables,
    forms.quality.tables,
    forms.review.tables,
    forms.tables,
    visits.tables,
    jobs,
    ledger,
    outbox,
    people,
    signatures,
    tables,
)


def metadata(which):
    """Return the metadata of `main` or of `vault`."""
    if which == "main":
        return Base.metadata
    from randomization.tables import VaultBase

    return VaultBase.metadata
