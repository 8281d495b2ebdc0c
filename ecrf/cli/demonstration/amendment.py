"""An amendment to practise with: vital signs get an item and a tighter limit.

Two data managers have approved it and it is in force at the first site; trying it dry,
applying it there, and the other sites are left to whoever practises.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Role
from ecrf.study import at_sites, canonical, versions
from ecrf.study.model import Study

FORM, LIMITED, SOFT = "vs", "sbp", ["90", "135"]
ITEM = {
    "id": "sbp2", "type": "integer", "require": True, "missing": ["ND"],
    "label": {"en": "Systolic blood pressure, second reading", "zh": "收缩压（第二次测量）"},
    "units": [{"name": "mmHg"}], "limits": {"hard": ["50", "300"], "soft": SOFT},
    "source": "design choice",
}  # fmt: skip


def play(stage: Stage, today: date) -> None:
    """Approve the amendment on the day before `today`, in force at the first site since."""
    amended = amend(stage.study)
    managers = [actor for (role, _), actor in stage.cast.items() if role is Role.DATA_MANAGER]
    if amended is None or len(managers) < 2:
        return
    site, on = stage.study.sites[0].code, today - timedelta(days=1)
    with stage.database.write() as session:
        for hour, actor in enumerate(managers[:2], start=18):
            by = stage.by(actor, stage.at(site, on, hour))
            versions.approve(session, by, amended)
        at_sites.adopt(
            session, stage.by(managers[0], stage.at(site, on, 20)), amended.id, site,
            canonical.fingerprint(amended), ethics_on=on - timedelta(days=3),
            effective_on=on, reference="EC-2026-031",
        )  # fmt: skip


def amend(study: Study) -> Study | None:
    """Return the next version of a study, None when it has no vital signs to amend."""
    plain: dict[str, Any] = json.loads(canonical.canonical(study))
    found = [form for form in plain["forms"] if form["id"] == FORM]
    members = next((s["members"] for s in _sections(found) if _limited(s["members"])), None)
    if members is None:
        return None
    _limited(members)[0]["limits"]["soft"] = SOFT
    members.append(ITEM)
    plain["version"] = f"{study.version}-A1"
    return canonical.from_canonical(json.dumps(plain))


def _sections(forms: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for form in forms:
        yield from form["sections"]


def _limited(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in members if one["id"] == LIMITED]
