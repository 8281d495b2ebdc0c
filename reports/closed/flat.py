"""A closed report as CSV: one line for each cell, in English whatever the language. Pure."""

from collections.abc import Iterator
from typing import Any

from reports.writers import csv

HEADER = ("table", "row", "level", "arm", "value")
ALL = "all"


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines: what the report is, its tables, then the steps of the curve."""
    yield csv.line(HEADER)
    for key in ("study", "cut_off", "definition", "list_version", "data", "made_at"):
        yield csv.line(("report", key, "0", "", str(report[key])))
    columns = [*(arm["code"] for arm in report["arms"]), ALL]
    for table in report["tables"]:
        above = ""
        for line in table["lines"]:
            label = line["label"]["en"]
            above = label if line["level"] == 0 else above
            name = label if line["level"] == 0 else f"{above}: {label}"
            for code, value in zip(columns, line["cells"], strict=True):
                yield csv.line((table["key"], name, str(line["level"]), code, value))
    curve = report["curve"]
    for arm, drawn in zip(report["arms"], curve["arms"] if curve else (), strict=bool(curve)):
        for day, risk, events, share in drawn["steps"]:
            row = f"day {day}, {risk} at risk, {events} events"
            yield csv.line(("curve", row, "0", arm["code"], share))
        for day, risk in zip(curve["marks"], drawn["at_risk"], strict=True):
            yield csv.line(("at risk", f"day {day}", "0", arm["code"], str(risk)))
