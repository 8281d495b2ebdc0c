"""The proof of blinding on paper, in both languages. It names no arm."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from platform import python_version

from reportlab.platypus import Flowable

from ecrf.cli.proving.result import Outcome, Result
from ecrf.kernel.text import LOCALES, Message, T
from ecrf.study.model import Study
from reports import paper, say
from reports.casebook import WATERMARK
from reports.paper import Head, Lines, heading, next_page, space, table

OUTCOMES = {
    Outcome.PASSED: T("passed"), Outcome.FAILED: T("FAILED"), Outcome.NOT_RUN: T("not run"),
}  # fmt: skip
LIMITS = (
    T("It shows what this installation holds and does today. It is repeated after every "
      "update and before the database is locked."),
    T("Absence of a difference in a test is no proof that there is none: small differences "
      "need many participants to be seen."),
    T("Effects of the treatment itself (laboratory values, side effects) can hint at an arm. "
      "Which items could is told by “ecrf study check”."),
    T("Whoever administers the machine that holds the vault's key and database can open arms. "
      "The proof says nothing of what happens outside of the system."),
    T("That all pages are the same in two worlds is shown by the test suite of this version, "
      "not by this report."),
)  # fmt: skip


def draw(
    study: Study, fingerprint: str, found: Sequence[Result], made: datetime, *, training: bool
) -> bytes:
    """Return the PDF: the report in English, then in Chinese."""
    paper.fonts()
    story: list[Flowable] = []
    heads = [_head(study, locale) for locale in LOCALES]
    for locale, head in zip(LOCALES, heads, strict=True):
        if story:
            story += next_page(head)
        story += _story(study, fingerprint, found, made, locale)
    foot = T("Made at {at}", at=say.moment(made, "UTC"))
    water = WATERMARK.in_("en") if training else ""
    return paper.document(heads[0].left, heads[0], story, f"\n{foot.in_('en')}", water)


def _head(study: Study, locale: str) -> Head:
    pages = T("Page {page} of {pages}", page="{page}", pages="{pages}").in_(locale)
    title = T("Proof of blinding").in_(locale)
    name = f"{study.registry} · {study.short_title.in_(locale)}"
    return Head(f"{title} · {name}", pages, _version(study, locale))


def _version(study: Study, locale: str) -> str:
    return T("Version {version} of the definition", version=study.version).in_(locale)


def _story(
    study: Study, fingerprint: str, found: Sequence[Result], made: datetime, locale: str
) -> Iterator[Flowable]:
    def told(text: Message) -> str:
        return text.in_(locale)

    yield from heading(told(T("Proof of blinding")), 16)
    yield space()
    facts = _facts(study, fingerprint, found, made, locale)
    yield table([[told(about), value] for about, value in facts], (1, 3), header=False)
    yield space(12)
    yield from heading(told(T("What was done, and what came of it")), 12)
    titles = (T("Part"), T("Method"), T("Outcome"), T("Found"))
    rows = [[told(title) for title in titles]]
    rows += [
        [told(one.title), told(one.method), told(OUTCOMES[one.outcome]), _found(one, locale)]
        for one in found
    ]
    shaded = [n for n, one in enumerate(found, start=1) if one.outcome is Outcome.FAILED]
    yield table(rows, (3, 7, 2, 6), shaded=shaded)
    yield space(12)
    yield from heading(told(T("What this does not prove")), 12)
    for limit in LIMITS:
        yield Lines(f"• {told(limit)}")
        yield space(3)


def _facts(
    study: Study, fingerprint: str, found: Sequence[Result], made: datetime, locale: str
) -> Iterator[tuple[Message, str]]:
    failed = sum(one.outcome is Outcome.FAILED for one in found)
    left = sum(one.outcome is Outcome.NOT_RUN for one in found)
    passed = len(found) - failed - left
    verdict = T("{passed} parts passed, {failed} failed, {left} could not be run.",
                passed=passed, failed=failed, left=left)  # fmt: skip
    yield T("Study"), study.title.in_(locale)
    yield T("Definition"), f"{study.version} · {fingerprint}"
    yield T("Software"), f"ecrf {version('ecrf')} · Python {python_version()}"
    yield T("At"), say.moment(made, "UTC")
    yield T("Outcome"), verdict.in_(locale)


def _found(one: Result, locale: str) -> str:
    lines = [line.in_(locale) for line in one.details]
    return "\n".join(lines if one.outcome is Outcome.FAILED else [one.found.in_(locale)])
