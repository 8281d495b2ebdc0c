"""The tables of each database, all packages' together. For tests and for writing revisions."""

import forms.adjudicating.tables
import forms.closing.tables
import forms.double.tables
import forms.drafts.tables
import forms.files.tables
import forms.laboratory.tables
import forms.quality.tables
import forms.reminding.tables
import forms.review.tables
import forms.tables
import forms.unblinded.tables
import forms.unlocking.tables
import visits.allocating.tables
import visits.tables
from ecrf.kernel import jobs, ledger, mail, outbox, people, signatures
from ecrf.kernel.db import Base
from ecrf.study import tables

MAKERS = (
    forms.adjudicating.tables,
    forms.closing.tables,
    forms.double.tables,
    forms.drafts.tables,
    forms.files.tables,
    forms.laboratory.tables,
    forms.quality.tables,
    forms.reminding.tables,
    forms.review.tables,
    forms.tables,
    forms.unblinded.tables,
    forms.unlocking.tables,
    visits.allocating.tables,
    visits.tables,
    jobs,
    ledger,
    mail,
    outbox,
    people,
    signatures,
    tables,
)


def metadata(which):
    """Return the metadata of `main` or of `vault`."""
    if which == "main":
        return Base.metadata
    from randomization import schema

    return schema.VaultBase.metadata
