"""A whole closed report from records and arms. Pure.

`codes` give each arm the name of its column. With codes drawn anew for each report (A, B, …)
the report itself does not say which arm is which.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.model import Study, Words
from reports.closed import boards, curves
from reports.closed.layout import FORMAT, Board, Json, both, plain
from reports.closed.records import Record

CODED, NAMED = "coded", "named"
LETTERS = "ABCDEFGHIJKLMNOP"
SALT_BYTES = 16


class Identity(NamedTuple):
    """What a report is of: the day up to which, and what it was read from."""

    cut_off: date
    definition: str
    list_version: int
    data: str
    made_at: str
    made_by: str


def codes(study: Study, labels: str, draw: Callable[[int], bytes]) -> dict[str, str]:
    """Return the code of each column and its arm, in the order of the columns.

    Coded, the order is drawn; named, it is the study's and an arm is its own code.
    """
    arms = [arm.id for arm in study.arms]
    if labels == NAMED:
        return {arm: arm for arm in arms}
    drawn = sorted(arms, key=lambda _: draw(SALT_BYTES))
    return dict(zip(LETTERS, drawn, strict=False))


def report(
    study: Study, identity: Identity, records: Sequence[Record], arms: Mapping[str, str],
    codes: Mapping[str, str], salt: bytes,
) -> Json:  # fmt: skip
    """Return the report as JSON; it holds no participant's code."""
    groups = boards.split(records, arms, tuple(codes.values()))
    if len(groups.columns[-1]) != len(records):
        raise ValueError("a participant of the report has no arm of the study")
    found: list[Board | None] = [
        boards.disposition(study, groups), boards.baseline(study, groups),
        boards.exposure(study, groups), *boards.adverse(study, groups),
        *boards.shifts(study, groups),
    ]  # fmt: skip
    endpoint = study.adjudication is not None
    if endpoint:
        found.append(curves.events(groups))
    return {
        "format": FORMAT, "study": study.id, "registry": study.registry,
        "title": both(study.short_title), **_identity(identity),
        "arms": [
            {"code": code, "label": both(_column(study, code, arm)), "n": len(group)}
            for (code, arm), group in zip(codes.items(), groups.arms, strict=True)
        ],
        "tables": [plain(board) for board in found if board is not None],
        "curve": curves.curve(groups) if endpoint else None,
        "salt": salt.hex(),
    }  # fmt: skip


def _identity(identity: Identity) -> Json:
    return {**identity._asdict(), "cut_off": identity.cut_off.isoformat()}


def _column(study: Study, code: str, arm: str) -> Text:
    if code != arm:
        return T("Arm {code}", code=code)
    label = next(known.label for known in study.arms if known.id == arm)
    return Words(en=f"{arm}: {label.en}", zh=f"{arm}：{label.zh}")
