"""How long requests take, by arm: two worlds with the arms exchanged, compared step by step.

    python -m bench.blinding

Ends with status 1 when answers or statements differ, or a Kolmogorov–Smirnov p-value of the
times is not above 0.001.
"""

import tempfile
import time
from pathlib import Path

from bench import measure
from bench.randomize import ARMS, STRATA
from randomization import api
from randomization.proving import api as proving
from randomization.proving import rehearsal
from tests import people

PARTICIPANTS = 200


def main():
    measure.heading()
    spec = api.Spec(
        study=people.STUDY, version=1, environment="test", scheme="permuted_block",
        ratio=tuple((arm, 1) for arm in ARMS), options={"sizes": (4, 6)}, strata=STRATA,
        slots=2 * PARTICIPANTS,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        one, other = (
            rehearsal.play(each, Path(folder) / name, PARTICIPANTS, time.perf_counter)
            for name, each in (("one", spec), ("other", rehearsal.exchanged(spec)))
        )
    compared = rehearsal.compare(one, other)
    times = proving.latencies(one, other)
    print(f"{compared.steps} requests, {compared.statements} statements, differences: "
          f"{len(compared.differences)}")  # fmt: skip
    for each in times:
        print(f"{each.step:10} {each.size:5} times, p = {each.p:.3f}")
    if not compared.good or any(each.p <= proving.LEVEL for each in times):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
