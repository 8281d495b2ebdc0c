"""The table and the curve of the time to the first event of the endpoint. Pure."""

from collections.abc import Sequence

from ecrf.kernel.text import T
from reports.closed import cells
from reports.closed.boards import Groups
from reports.closed.layout import Board, Json, Line
from reports.closed.records import Record
from reports.closed.survival import Time, at_risk, kaplan_meier, log_rank, median

SPACINGS = (7, 14, 28, 56, 84, 168, 364)
MOST_MARKS = 8


def times(records: Sequence[Record]) -> list[Time]:
    return [record.time for record in records if record.time is not None]


def events(groups: Groups) -> Board:
    """Return how many had the event, and the test of the curves."""
    curves = [kaplan_meier(times(group)) for group in groups.columns]
    middles = [median(steps) for steps in curves]
    lines = [
        Line(T("Participants with an event"), groups.shares(lambda r: r.relapses > 0)),
        Line(T("Events"), groups.counts(lambda r: r.relapses), 1),
        Line(T("Waiting for the committee"), groups.counts(lambda r: r.waiting), 1),
        Line(T("Without a whole date, in no curve"), groups.counts(lambda r: r.undated), 1),
        Line(T("Median days to the first event (Kaplan–Meier)"),
             ["–" if days is None else str(days) for days in middles]),
    ]  # fmt: skip
    test = log_rank([times(group) for group in groups.arms])
    if test is not None:
        expected = [cells.fraction(value, 2) for value in test.expected]
        lines.append(Line(T("Expected events"), [*expected, ""], 1))
        found = f"χ² = {cells.fraction(test.statistic, 3)}, df = {test.freedom}"
        lines.append(Line(T("Log-rank test, not stratified"), [*_blank(groups), found]))
        lines.append(Line(T("p, two-sided"), [*_blank(groups), cells.p_value(test.p)], 1))
    note = T(
        "By the committee where its verdict is final, else by the site. Without an event a "
        "participant counts up to the last assessment, at most the cut-off."
    )
    return Board("relapses", T("Time to the first event of the endpoint"), lines, note)


def curve(groups: Groups) -> Json:
    """Return the steps of each arm and the numbers at risk."""
    longest = max((time.days for time in times(groups.columns[-1])), default=0)
    marks = _marks(longest)
    return {
        "last": longest,
        "marks": marks,
        "arms": [
            {
                "steps": [
                    [step.days, step.at_risk, step.events, cells.fraction(step.survival, 4)]
                    for step in kaplan_meier(times(group))
                ],
                "censored": sorted({t.days for t in times(group) if not t.happened}),
                "last": max((time.days for time in times(group)), default=0),
                "at_risk": [at_risk(times(group), day) for day in marks],
            }
            for group in groups.arms
        ],
    }


def _marks(longest: int) -> list[int]:
    spacing = next((s for s in SPACINGS if longest // s < MOST_MARKS), SPACINGS[-1])
    return list(range(0, longest + 1, spacing))


def _blank(groups: Groups) -> list[str]:
    return [""] * len(groups.arms)
