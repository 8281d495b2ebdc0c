"""The ceremony of a list as pages: every step is signed with the password, in its turn."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault.lists import paper, specifying
from ecrf.web.vault.supply.room import typed, vault, wrong
from randomization import api as lists_api
from randomization.ceremony import api
from randomization.ceremony.api import Source, Standing, Step, Weighed

pages = Pages("vault_lists", __name__)
LISTS = "/vault/<study_id>/lists"
ONE = f"{LISTS}/<int:number>"
CHECK = "check"


class Turn(NamedTuple):
    """A step that is still to come: what bars it now, if anything, and who may do it."""

    step: Step
    title: Message
    meaning: Message
    why_not: Message | None
    mine: bool


@pages.page(LISTS, needs=Right.LIST_ACTIVATE)
def listing(study_id: str) -> ResponseReturnValue:
    return _listing(study_id, None)


@pages.page(LISTS, needs=Right.LIST_MANAGE, methods=("POST",))
def specify(study_id: str) -> ResponseReturnValue:
    """Sign the specification of a new list."""
    study = _study(study_id, Right.LIST_MANAGE)
    try:
        spec = specifying.spec(study, vault().environment)
        _confirm()
        api.specify(vault(), g.by, spec)
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _listing(study_id, no)) from None
    return redirect(f"/vault/{study_id}/lists/{spec.version}?done=1", 303)


@pages.page(ONE, needs=Right.LIST_ACTIVATE)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _page(study_id, number, None, None)


@pages.page(ONE, needs=Right.LIST_ACTIVATE, methods=("POST",))
def act(study_id: str, number: int) -> ResponseReturnValue:
    """Do the step whose button was pressed; a file is checked without doing anything."""
    study, asked = _study(study_id, Right.LIST_ACTIVATE), typed("act")
    try:
        if asked == CHECK:
            found = api.weigh(vault(), g.by, study_id, number, _file())
            return _page(study_id, number, None, found)
        do = ACTS.get(asked)
        if do is None:
            raise wrong("act", T("Choose what to do."))
        _confirm()
        sent = do(study, number)
    except Refused as refusal:
        no = refusal
        raise Again(refusal, lambda: _page(study_id, number, no, None)) from None
    if isinstance(sent, Response):
        return sent
    return redirect(f"/vault/{study_id}/lists/{number}?done=1", 303)


@pages.page(f"{ONE}/<any(announcement, publication, minutes):name>.txt",
            needs=Right.LIST_ACTIVATE)  # fmt: skip
def as_text(study_id: str, number: int, name: str) -> ResponseReturnValue:
    """Send a record as it is filed and compared."""
    _study(study_id, Right.LIST_ACTIVATE)
    text = api.record_text(vault(), g.by, study_id, number, name)
    return _sent(
        text.encode(), "text/plain; charset=utf-8", _name(study_id, number, name, "txt")
    )


@pages.page(f"{ONE}/<any(announcement, publication, minutes):name>.pdf",
            needs=Right.LIST_ACTIVATE)  # fmt: skip
def as_pdf(study_id: str, number: int, name: str) -> ResponseReturnValue:
    """Send a record to be printed, signed and filed."""
    _study(study_id, Right.LIST_ACTIVATE)
    body = paper.drawn(vault(), g.by, study_id, number, name)
    return _sent(body, "application/pdf", _name(study_id, number, name, "pdf"))


def _seal(study: Study, number: int) -> None:
    api.seal_seed(vault(), g.by, study.id, number, _plan(study))


def _plan_again(study: Study, number: int) -> None:
    api.plan_again(vault(), g.by, study.id, number, _plan(study))


def _announce(study: Study, number: int) -> None:
    api.announce(vault(), g.by, study.id, number, typed("filed"))


def _beacon(study: Study, number: int) -> None:
    api.beacon(vault(), g.by, study.id, number, typed("value"))


def _generate(study: Study, number: int) -> None:
    api.generate(vault(), g.by, study.id, number)


def _import(study: Study, number: int) -> None:
    api.import_list(vault(), g.by, study.id, number, _file())


def _publish(study: Study, number: int) -> None:
    api.publish(vault(), g.by, study.id, number, typed("filed"))


def _export(study: Study, number: int) -> Response:
    """Send the sealed copy; that it was handed out is in the minutes first."""
    text = api.export(vault(), g.by, study.id, number)
    return _sent(text.encode(), "application/json", _name(study.id, number, "sealed", "json"))


def _reproduce(study: Study, number: int) -> None:
    root, check, at = typed("root"), typed("check"), typed("where")
    api.confirm(vault(), g.by, study.id, number, root, check, at)


def _activate(study: Study, number: int) -> None:
    api.activate(vault(), g.by, study.id, number)


def _abandon(study: Study, number: int) -> None:
    api.abandon(vault(), g.by, study.id, number, typed("reason"))


ACTS: Mapping[str, Callable[[Study, int], Response | None]] = {
    Step.SEAL: _seal, Step.PLAN: _plan_again, Step.ANNOUNCE: _announce, Step.BEACON: _beacon,
    Step.GENERATE: _generate, Step.IMPORT: _import, Step.EXPORT: _export,
    Step.PUBLISH: _publish, Step.REPRODUCE: _reproduce, Step.ACTIVATE: _activate,
    Step.ABANDON: _abandon,
}  # fmt: skip


def _plan(study: Study) -> api.Plan:
    """Return the beacon that was chosen; its moment is typed in the time of the first site."""
    if typed("source") not in set(Source):
        raise wrong("source", T("Choose the source of the beacon."))
    try:
        local = datetime.fromisoformat(typed("known_from").replace(" ", "T"))
    except ValueError:
        example = "2026-03-05 18:00"
        raise wrong(
            "known_from", T("Write the moment as {example}.", example=example)
        ) from None
    moment = local.replace(tzinfo=local.tzinfo or ZoneInfo(_zone(study)))
    return api.Plan(Source(typed("source")), typed("words"), moment)


def _file() -> bytes:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise wrong("file", T("Choose the file of the list."))
    return bytes(sent.read())


def _confirm() -> None:
    accounts.confirm(g.session, g.by, request.form.get("password", ""))


def _study(study_id: str, right: Right) -> Study:
    study = where.in_force(study_id, right).study
    if study.randomization is None:
        raise NotFound(T("Nobody is randomized in this study."))
    return study


def _zone(study: Study) -> str:
    return next((site.zone for site in study.sites), "UTC")


def _listing(study_id: str, refusal: Refused | None) -> str:
    study = _study(study_id, Right.LIST_ACTIVATE)
    found = api.listing(vault(), g.by, study_id)
    return render_template(
        "vault/lists.html", study=study, lists=found, refusal=refusal, sent=request.form,
        schemes=[*sorted(lists_api.SCHEMES), api.IMPORTED], **_layout(study_id),
        number=max((one.version for one in found), default=0) + 1,
        meaning=api.MEANINGS[Step.SPECIFY],
    )  # fmt: skip


def _page(study_id: str, number: int, refusal: Refused | None, weighed: Weighed | None) -> str:
    study = _study(study_id, Right.LIST_ACTIVATE)
    stands = api.standing(vault(), g.by, study_id, number)
    return render_template(
        "vault/list.html", study=study, number=number, stands=stands, refusal=refusal,
        sent=request.form, lines=api.lines(stands), turns=_turns(study_id, stands), Step=Step,
        sources=api.SOURCES, zone=_zone(study), needed=api.NEEDED, weighed=weighed,
        labels={arm.id: arm.label for arm in study.arms}, columns=api.COLUMNS,
        random=api.NUMBER, **_layout(study_id),
    )  # fmt: skip


def _turns(study_id: str, stands: Standing) -> list[Turn]:
    """Return what is still to come, in order; what is over for good is left out."""
    return [
        Turn(
            step, api.TITLES[step], api.MEANINGS[step],
            api.why_not(stands, step, g.actor.id, g.by.at),
            g.actor.may(api.NEEDS[step], study_id),
        )
        for step in api.to_come(stands)
    ]  # fmt: skip


def _layout(study_id: str) -> dict[str, object]:
    """Return how the page looks: unblinded for whoever manages lists, plain for signers."""
    manages = g.actor.may(Right.LIST_MANAGE, study_id)
    return {"manages": manages, "base": "vault/layout.html" if manages else "layout.html"}


def _name(study_id: str, number: int, name: str, kind: str) -> str:
    return f"{study_id}-list-{number}-{name}.{kind}"


def _sent(body: bytes, kind: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(body, content_type=kind, headers={"Content-Disposition": disposition})
