"""The proof of blinding on paper, in both languages. It names no arm."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from platform import python_version
from typing import NamedTuple

from reportlab.platypus import Flowable

from ecrf.cli.proving.result import Outcome, Result
from ecrf.kernel.text import LOCALES, Message, T
from ecrf.study.model import Study
from reports import paper, say
from reports.casebook import WATERMARK
from reports.paper import Head, Lines, heading, next_page, space, table

TITLE = T("Proof of blinding")
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


class Report(NamedTuple):
    """A report about to be drawn. `roots` is what was published of the lists."""

    study: Study
    fingerprint: str
    roots: Sequence[str]
    found: Sequence[Result]
    made: datetime

    def draw(self, *, training: bool) -> bytes:
        """Return the PDF: the report in English, then in Chinese."""
        paper.fonts()
        story: list[Flowable] = []
        heads = [self.head(locale) for locale in LOCALES]
        for locale, head in zip(LOCALES, heads, strict=True):
            if story:
                story += next_page(head)
            story += self.story(locale)
        foot = T("Made at {at}", at=say.moment(self.made, "UTC"))
        water = WATERMARK.in_("en") if training else ""
        return paper.document(heads[0].left, heads[0], story, f"\n{foot.in_('en')}", water)

    def head(self, locale: str) -> Head:
        pages = T("Page {page} of {pages}", page="{page}", pages="{pages}")
        name = f"{self.study.registry} · {self.study.short_title.in_(locale)}"
        under = T("Version {version} of the definition", version=self.study.version)
        return Head(f"{TITLE.in_(locale)} · {name}", pages.in_(locale), under.in_(locale))

    def story(self, locale: str) -> Iterator[Flowable]:
        yield from heading(TITLE.in_(locale), 16)
        yield space()
        facts = [[about.in_(locale), value] for about, value in self.facts(locale)]
        yield table(facts, (1, 3), header=False)
        yield space(12)
        yield from heading(T("What was done, and what came of it").in_(locale), 12)
        titles = (T("Part"), T("Method"), T("Outcome"), T("Found"))
        rows = [[title.in_(locale) for title in titles]]
        rows += [_cells(one, locale) for one in self.found]
        failed = enumerate(self.found, start=1)
        shaded = [n for n, one in failed if one.outcome is Outcome.FAILED]
        yield table(rows, (3, 7, 2, 6), shaded=shaded)
        yield space(12)
        yield from heading(T("What this does not prove").in_(locale), 12)
        for limit in LIMITS:
            yield Lines(f"• {limit.in_(locale)}")
            yield space(3)

    def facts(self, locale: str) -> Iterator[tuple[Message, str]]:
        counts = Counter(one.outcome for one in self.found)
        verdict = T(
            "{passed} parts passed, {failed} failed, {left} could not be run.",
            passed=counts[Outcome.PASSED], failed=counts[Outcome.FAILED],
            left=counts[Outcome.NOT_RUN],
        )  # fmt: skip
        yield T("Study"), self.study.title.in_(locale)
        yield T("Definition"), f"{self.study.version} · {self.fingerprint}"
        yield T("Lists and their published roots"), "\n".join(self.roots) or "–"
        yield T("Software"), f"ecrf {version('ecrf')} · Python {python_version()}"
        yield T("At"), say.moment(self.made, "UTC")
        yield T("Outcome"), verdict.in_(locale)


def _cells(one: Result, locale: str) -> list[str]:
    wrong = one.outcome is Outcome.FAILED
    found = one.details if wrong else (one.found,)
    first = (one.title, one.method, OUTCOMES[one.outcome])
    return [*(text.in_(locale) for text in first), "\n".join(t.in_(locale) for t in found)]
