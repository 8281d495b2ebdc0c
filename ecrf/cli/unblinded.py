"""The unblinded package: arms out of a bundle put beside the locked data, and their check."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sqlalchemy.orm import Session

from ecrf.cli.installation import Installation
from ecrf.kernel import checkpoints
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from forms.closing import whole
from randomization import api
from randomization.closed import api as closed
from reports import package, treated, verify
from reports.package import Package
from reports.treated import Allocated, Treatments

PROGRAM = "verify_bundle.py"


def make(
    place: Installation, session: Session, by: By, folder: Path, study: str, bundle: Path,
    lock_id: int | None,
) -> Package:  # fmt: skip
    """Make the unblinded package of the lock of a study; its sum goes to the vault's ledger."""
    lock = whole.require(session, study)
    if lock_id not in (None, lock.lock):
        raise Conflict(T("Lock {id} is not the one that closes the study.", id=lock_id))
    content = _bundle(bundle.read_text("utf-8"))
    public = content["public"]
    if public["study"] != study:
        raise Conflict(T("The bundle is of another study."))
    vault = api.open_vault(place.config, place.vault)
    filed = api.published(vault, study, public["list"]).text()
    given = Treatments(
        [Allocated(*one) for one in closed.treatments(content, filed)],
        bundle.read_text("utf-8"),
        (files("randomization") / PROGRAM).read_text("utf-8"), filed,
    )  # fmt: skip
    desk = checkpoints.desk(place.config)
    made = package.make(place.database, session, by, desk, folder, study, lock.lock, given)
    closed.note_package(vault, by, study, public["list"], made.sha256)
    return made


def with_arms(path: str, result: verify.Result) -> verify.Result:
    """Return the result of a check; in an unblinded package the arms are checked, too."""
    with ZipFile(path) as package_:
        if treated.BUNDLE not in package_.namelist():
            return result
        try:
            content = _bundle(package_.read(treated.BUNDLE).decode())
            filed = package_.read(treated.PUBLISHED).decode()
            arms = {one.participant: one.arm for one in closed.treatments(content, filed)}
            text = package_.read(treated.TABLE).decode()
        except (Conflict, KeyError, ValueError):
            fault = verify.Fault("treatment", treated.BUNDLE)
            return result._replace(faults=(*result.faults, fault))
    wrong = [code for code, arm in treated.said(text) if arms.get(code) != arm]
    faults = [verify.Fault("treatment", f"{treated.TABLE} {code}") for code in wrong]
    return result._replace(faults=(*result.faults, *faults))


def _bundle(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict) or "public" not in content:
        raise Conflict(T("The file is no bundle."))
    return content
