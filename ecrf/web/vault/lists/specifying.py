"""The specification of a list as it is typed on a page."""

from ecrf.kernel.text import T
from ecrf.study import strata
from ecrf.study.model import Study
from ecrf.web.vault.supply.room import typed, whole, wrong
from randomization import api

MOST_LISTS = 1000
MOST_SLOTS = 100_000


def spec(study: Study, environment: str) -> api.Spec:
    """Return the specification that was typed; refuse one that is not possible."""
    rule = study.randomization
    ratio = tuple(rule.ratio.items()) if rule else ()
    slots = whole("slots", MOST_SLOTS) if typed("slots") else 0
    number = whole("number", MOST_LISTS)
    try:
        return api.Spec(
            study.id, number, environment, typed("scheme"), ratio, _options(),
            strata.names(study), slots or (rule.slots_per_stratum if rule else 0),
        )  # fmt: skip
    except ValueError as no:
        raise wrong("scheme", T("This cannot be a list: {why}", why=str(no))) from None


def _options() -> dict[str, tuple[int, ...]]:
    """Return what the scheme is told: block sizes, and other options as `name=3 name=1,2`."""
    told: dict[str, tuple[int, ...]] = {}
    if typed("sizes"):
        told["sizes"] = _numbers("sizes", typed("sizes").replace(",", " ").split())
    for option in typed("options").split():
        name, _, values = option.partition("=")
        told[name] = _numbers("options", values.split(","))
    return told


def _numbers(item: str, values: list[str]) -> tuple[int, ...]:
    if not all(value.isascii() and value.isdecimal() and len(value) < 7 for value in values):
        raise wrong(item, T("Write whole numbers, such as {example}.", example="4, 6"))
    return tuple(int(value) for value in values)
