"""What of the committee's cases waits for the data manager, as Today lists it."""

from collections.abc import Collection, Iterator, Sequence

from flask import g

from ecrf.kernel.access import Right
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.web.groups import SHOWN, Group, Row
from forms.adjudicating import assembling, cases, states
from forms.adjudicating.cases import Found
from forms.adjudicating.states import State


def groups(study: Study) -> Iterator[Group]:
    """Yield dossiers to release, what the committee waits for, and cases that are outdated."""
    if study.adjudication is None or not g.actor.may(Right.ADJUDICATION_MANAGE, study.id):
        return
    listed = cases.listing(g.session, g.actor, study.id)
    seen = assembling.touched(g.session, study.id)
    outdated = assembling.changed_cases(
        g.session, [found for found in listed if found.case.number in seen]
    )
    yield _group(study, "dossiers", T("Dossiers to release"), listed, states.WITH_OFFICE)
    yield _group(study, "stuck", T("Cases the committee cannot go on with"), listed,
                 (State.INFORMATION, State.DISCORDANT))  # fmt: skip
    old = [found for found in listed if found.case.number in outdated]
    yield _group(study, "outdated", T("Cases whose data changed"), old, tuple(State))


def _group(
    study: Study, name: str, title: Message, listed: Sequence[Found], wanted: Collection[State]
) -> Group:
    found = [one for one in listed if one.state in wanted]
    rows = [_row(study, one) for one in found[:SHOWN]]
    return Group(name, title, rows, len(found), more=f"/{study.id}/cases")


def _row(study: Study, found: Found) -> Row:
    due, form = cases.package_due(found), found.study.forms[found.rule.form]
    late = due is not None and due < g.by.at.date()
    return Row(
        f"/{study.id}/cases/{found.case.number}", found.participant.code,
        T("{case}, {form}", case=found.case.name, form=form.title),
        "overdue" if late else "due", due, due, states.NAMES[found.state],
    )  # fmt: skip
