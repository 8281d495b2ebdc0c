"""Exports: packages made and to be made, their download and check."""

from collections.abc import Sequence
from pathlib import Path

from flask import g, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from ecrf.kernel import checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.ledger import LEDGER, Act, study_chain
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms import scope
from forms.closing import covering
from forms.tables import Lock
from reports import made, package, verify
from reports.made import Listed

pages = Pages("exports", __name__)
NO_LOCK = "now"


@pages.page("/<study_id>/exports", needs=Right.DATA_EXPORT)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


def _page(
    study_id: str,
    refusal: Refused | None,
    checked: tuple[str, verify.Result] | None = None,
) -> str:
    study = where.in_force(study_id, Right.DATA_EXPORT).study
    return render_template(
        "exports.html",
        study=study,
        refusal=refusal,
        packages=_mine(study_id),
        locks=_locks(study_id),
        there=lambda name: _path(name).is_file(),
        checked=checked,
        said=lambda fault: T(verify.WORDINGS[fault.kind], where=fault.where),
    )


@pages.page("/<study_id>/exports", needs=Right.DATA_EXPORT, methods=("POST",))
def make(study_id: str) -> ResponseReturnValue:
    """Make the package of a lock, or of now."""
    wanted = request.form.get("lock", NO_LOCK)
    try:
        package.make(
            services().database, g.session, g.by, checkpoints.desk(services().config),
            _folder(), study_id, int(wanted) if wanted.isdecimal() else None,
        )  # fmt: skip
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/exports?done=1", 303)


@pages.page("/<study_id>/exports/<name>", needs=Right.DATA_EXPORT)
def download(study_id: str, name: str) -> ResponseReturnValue:
    """Hand a package out; taking it is an act too."""
    listed = _find(study_id, name)
    refs = {"taken": listed.name, "sha256": listed.sha256}
    role = g.actor.role_for(Right.DATA_EXPORT, study_id)
    act = Act("data:export", role, study_id, key=f"package:{listed.name}", refs=refs)
    with services().database.write() as session:
        LEDGER.record(session, g.by, study_chain(study_id), act)
    return send_file(
        _path(name).resolve(), mimetype="application/zip", as_attachment=True,
        download_name=listed.name, last_modified=listed.made_at, etag=False,
    )  # fmt: skip


@pages.page("/<study_id>/exports/<name>/check", needs=Right.DATA_EXPORT)
def check(study_id: str, name: str) -> ResponseReturnValue:
    """Check a package on the spot, against the key of this installation."""
    listed = _find(study_id, name)
    key = checkpoints.desk(services().config).signer.verifier.text()
    path = _path(name)
    try:
        result = verify.verify(str(path), key)
    except verify.NoPackage:
        result = verify.Result((verify.Fault("unreadable", name),), 0, 0, 0, True, key)
    if made.file_digest(path) != listed.sha256:
        result = result._replace(faults=(verify.Fault("sums", name), *result.faults))
    return _page(study_id, None, (name, result))


def _mine(study_id: str) -> Sequence[Listed]:
    """Return the packages that hold no site this person may not export."""
    held = g.actor.sites(Right.DATA_EXPORT, study_id)
    return [
        listed
        for listed in made.listing(g.session, study_id)
        if held is None or (listed.sites is not None and set(listed.sites) <= held)
    ]


def _find(study_id: str, name: str) -> Listed:
    where.in_force(study_id, Right.DATA_EXPORT)
    found = next((listed for listed in _mine(study_id) if listed.name == name), None)
    if found is None or not _path(name).is_file():
        raise NotFound(T("There is no such package here."))
    return found


def _locks(study_id: str) -> list[tuple[Lock, str]]:
    held = g.actor.sites(Right.DATA_EXPORT, study_id)
    found = []
    for row in covering.standing(g.session, study_id):
        level = scope.Level(row.scope)
        if row.kind != "lock" or level not in (scope.Level.STUDY, scope.Level.SITE):
            continue
        if held is None or (level is scope.Level.SITE and row.target in held):
            found.append((row, scope.stored(g.session, study_id, level, row.target).name))
    return found


def _folder() -> Path:
    return services().config.data_dir / package.FOLDER


def _path(name: str) -> Path:
    """Return where the package lies; a name with a path in it is never one of ours."""
    return _folder() / Path(name).name
