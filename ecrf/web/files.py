"""Files on the page of an entry: taken from what was sent, handed out again as downloads.

An input `<item>.upload` carries the file, `<item>` the answer that names it, so that drafts,
previews and a choice between two versions work as for every other item. A ticked
`<item>.remove` takes the answer away; the file stays among the versions.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

from flask import g, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Problem, Refused, Stale, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.web.conflict import Sent
from ecrf.web.routes import Pages
from ecrf.web.spot import NUMBERED, Spot
from forms.answers import called
from forms.files import keeping, naming
from forms.lookup import Found

pages = Pages("files", __name__)
UPLOAD, REMOVE = ".upload", ".remove"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was sent with its files named in it; `wrong` are files that cannot be taken."""

    sent: Sent
    files: tuple[keeping.Sent, ...] = ()
    wrong: tuple[Problem, ...] = ()

    def put(self, session: Session, by: By, found: Found) -> None:
        """Keep the files; refused with one that cannot be taken."""
        if self.wrong:
            raise Unacceptable(
                T("Nothing was saved: {n} file(s) cannot be taken.", n=len(self.wrong)),
                self.wrong,
            )
        keeping.put(session, by, found, self.files)

    def rescue(self, found: Found, refusal: Refused) -> Callable[[Session], None] | None:
        """Return what keeps the files although the save was refused for what else was typed."""
        by, files = g.by, self.files
        if not files or not isinstance(refusal, Unacceptable | Stale):
            return None
        return lambda session: keeping.put(session, by, found, files)


def take(found: Found) -> Taken:
    """Read the files of the request for the items of a form that are answered by one."""
    items = naming.items(found.form)
    if not items:
        return Taken(request.form)
    sent, files, wrong = MultiDict(request.form), [], []
    for item in items:
        if f"{item}{REMOVE}" in sent:
            sent[item] = ""
        upload = request.files.get(f"{item}{UPLOAD}")
        if upload is None or not upload.filename:
            continue
        cell, content = found.form.cells[item], upload.read()
        upload.close()
        name, rule = naming.clean(upload.filename), naming.rule(cell.question)
        no = naming.refusal(called(cell), rule, name, content)
        if no is not None:
            wrong.append(Problem(item, no))
            continue
        file = keeping.Sent(item, name, naming.kind(content) or "", content)
        files.append(file)
        sent[item] = file.answer
    return Taken(sent, tuple(files), tuple(wrong))


@pages.page(f"{NUMBERED}/files/<item>/<sha256>", needs=Right.ENTRY_READ)
def download(
    study_id: str, code: str, key: str, form: str, number: int, item: str, sha256: str
) -> ResponseReturnValue:
    """Hand out a file of an entry the person may read; it is saved, never shown in place."""
    found = Spot(study_id, code, key, form, number).find(Right.ENTRY_READ)
    file = keeping.content(g.session, g.actor, found, item, sha256)
    return send_file(
        io.BytesIO(file.content), mimetype=naming.TYPES[file.kind], as_attachment=True,
        download_name=file.name, max_age=0, etag=False,
    )  # fmt: skip
