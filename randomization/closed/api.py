"""The front door of closed reports, of the record of reads, and of the end of the blind.

Arms leave by `arms` (for one report), by `read` and `codes` (of a report that was made) and by
`treatments` (of a bundle two people have signed for); each is written down beforehand.
"""

from randomization.closed.handled import (
    Handling,
    Known,
    Vaulted,
    describe,
    note_package,
    restriction,
)
from randomization.closed.keeping import Kept, Made, codes, keep, listing, read, release
from randomization.closed.opening import Opened, Wanted, arms
from randomization.closed.reads import (
    KINDS,
    Read,
    alarmed,
    count,
    raise_alarm,
    reads_for_proof,
    record,
)
from randomization.closed.revealed import Treatment, treatments
from randomization.closed.unblinding import Signed, Standing, standing

__all__ = [
    "KINDS", "Handling", "Kept", "Known", "Made", "Opened", "Read", "Signed", "Standing",
    "Treatment", "Vaulted", "Wanted", "alarmed", "arms", "codes", "count", "describe",
    "keep", "listing", "note_package", "raise_alarm", "read", "reads_for_proof", "record",
    "release", "restriction", "standing", "treatments",
]  # fmt: skip
