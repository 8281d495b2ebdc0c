"""The rehearsal in two worlds, as results."""

from collections.abc import Iterator
from pathlib import Path

from ecrf.cli.proving.result import Result, judged, not_run
from ecrf.kernel.text import Message, T
from randomization import api
from randomization.proving import api as proving

TITLE = T("Rehearsal in two worlds")
METHOD = T(
    "The newest list is rehearsed twice in a folder of its own, with the same draws and the "
    "arms exchanged. Randomizing, asking again, assigning and dispensing kits must give the "
    "same answers with the same statements."
)
TIMES = T("Times by arm")
HOW = T(
    "How long each request of the rehearsal took is compared between the arms "
    "(Kolmogorov–Smirnov, p above {level}).",
    level=proving.LEVEL,
)


def results(
    vault: api.Vault, study: str, folder: Path, participants: int, watch: proving.Watch
) -> Iterator[Result]:
    found = proving.rehearse(vault, study, folder, participants, watch)
    if found is None:
        yield not_run("rehearsal", TITLE, METHOD, T("There is no list of this study yet."))
        return
    compared = found.compared
    yield judged(
        "rehearsal", TITLE, METHOD,
        T("{n} participants, {steps} requests and {statements} statements were the same in "
          "both worlds, in which every participant has another arm.",
          n=compared.participants, steps=compared.steps, statements=compared.statements),
        tuple(_differences(compared)),
    )  # fmt: skip
    late = [one for one in found.latencies if one.p <= proving.LEVEL]
    yield judged(
        "times", TIMES, HOW,
        T("{n} kinds of request, {count} times each.",
          n=len(found.latencies), count=found.latencies[0].size),
        tuple(T("{step}: the times differ between the arms", step=one.step) for one in late),
    )  # fmt: skip


def _differences(compared: proving.Rehearsed) -> Iterator[Message]:
    if not compared.exchanged:
        yield T("The arms were not exchanged: the rehearsal shows nothing.")
    for place in compared.differences:
        yield T("{place} differs between the worlds", place=place)
