"""What the records of the study say: numbers against arms, guesses, ledgers, disclosures."""

from collections.abc import Iterator

from ecrf.cli.installation import Installation
from ecrf.cli.proving import search
from ecrf.cli.proving.result import Result, judged, not_run
from ecrf.kernel import checkpoints, verify
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from randomization import api
from randomization.proving import api as proving

BANDS = (0.1, 0.01, 0.001)


def results(place: Installation, vault: api.Vault, study: Study) -> Iterator[Result]:
    found = proving.examine(vault, study.id)
    yield _numbers(found)
    yield _guessed(found)
    yield _answers(place, vault, study)
    yield _ledgers(place, found)
    yield _disclosed(found)


def _numbers(found: proving.Evidence) -> Result:
    title = T("Numbers against arms")
    method = T(
        "Every digit, even and odd, size, order and runs of kit numbers, randomization "
        "numbers, slot ids and shipments are tested against the arms (χ², rank sum, "
        "Kolmogorov–Smirnov, Wald–Wolfowitz). All p-values together must be such as chance "
        "gives: none below {level} divided by their number.",
        level=proving.LEVEL,
    )
    if not found.tests:
        return not_run(
            "numbers", title, method,
            T("Fewer than {n} numbers: their p-values could themselves tell something.",
              n=proving.FEWEST),
        )  # fmt: skip
    low = min(found.tests, key=lambda test: test.p)
    limit = proving.LEVEL / len(found.tests)
    wrong = [test for test in found.tests if test.p <= limit]
    return judged(
        "numbers", title, method,
        T("{n} tests; the smallest p-value is {band}.", n=len(found.tests), band=band(low.p)),
        tuple(T("{what}, {how}: p-value too small", what=t.what, how=t.how) for t in wrong),
    )  # fmt: skip


def band(p: float) -> str:
    """Return a p-value as the band it lies in: its digits could tell something."""
    return next((f"> {limit}" for limit in BANDS if p > limit), f"≤ {BANDS[-1]}")


def _guessed(found: proving.Evidence) -> Result:
    title = T("Guessing the treatment")
    method = T(
        "A logistic regression learns the arm from everything blinded people can see of a "
        "randomized participant (digits of the numbers, order, times, site, stratum, shipment, "
        "length of the receipt) and guesses those it has not seen. The 99 % interval of the "
        "area under its ROC curve must contain 0.5."
    )
    if not found.guesses:
        return not_run(
            "guess", title, method,
            T("{n} randomized participants are too few to learn from.", n=found.participants),
        )  # fmt: skip
    spans = ", ".join(f"{_near(g.low)} – {_near(g.high)}" for g in found.guesses)
    wrong = [
        T("The arm can be guessed better than by chance.") for g in found.guesses if not g.blind
    ]
    return judged(
        "guess", title, method,
        T("{n} participants; interval of the area, to the nearest 0.05: {spans}.",
          n=found.participants, spans=spans), tuple(wrong),
    )  # fmt: skip


def _near(value: float) -> str:
    return f"{round(value * 20) / 20:.2f}"


def _answers(place: Installation, vault: api.Vault, study: Study) -> Result:
    """An arm's short id may be a word of the forms; then it must not go with the arm."""
    title = T("Everyday words that are ids of arms")
    method = T(
        "A short id of an arm may also be a word of the forms. Whether a participant's answers "
        "hold it is tested against the arm (χ², p above {level}).",
        level=proving.LEVEL,
    )
    with place.database.read() as session:
        named = search.answered(session, study)
    p = [proving.associated(vault, study.id, set(codes)) for codes in named.values()]
    tested = [value for value in p if value is not None]
    if not tested:
        return not_run(
            "words", title, method, T("Too few answers hold such a word to be tested.")
        )
    wrong = [
        T("Answers that hold an id go with the arm.")
        for value in tested
        if value <= proving.LEVEL
    ]
    return judged("words", title, method, T("{n} word(s) tested.", n=len(tested)), tuple(wrong))


def _ledgers(place: Installation, found: proving.Evidence) -> Result:
    desk = checkpoints.desk(place.config)
    with place.database.read() as session:
        seen = verify.verify(
            session, desk.signer.verifier, list(checkpoints.outside(desk.folder))
        )
    own = found.verification
    flaws: list[Message] = [
        T("main ledger: {kind}", kind=flaw.kind.value) for flaw in seen.flaws
    ]
    flaws += own.flaws
    return judged(
        "ledgers", T("Ledgers, lists and receipts"),
        T("Every act of the main ledger is verified; every list is made again from its seed, "
          "every receipt and its place in the list is followed."),
        T("{acts} acts, {slots} slots and {receipts} receipts are as they were written.",
          acts=seen.acts, slots=own.slots, receipts=own.allocations), tuple(flaws),
    )  # fmt: skip


def _disclosed(found: proving.Evidence) -> Result:
    told = "; ".join(f"{d.purpose}: {d.times} ({d.people})" for d in found.disclosed) or "–"
    return judged(
        "disclosures", T("Disclosures on record"),
        T("Every disclosure is written down before an arm is opened. They are counted by "
          "purpose, with the number of people they were made to."),
        T("{told}", told=told),
    )  # fmt: skip
