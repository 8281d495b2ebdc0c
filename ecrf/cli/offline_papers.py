"""The papers of an offline pack: cards of the site, list of the desk, what to do."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from reportlab.platypus import Flowable, KeepTogether

from ecrf.kernel.chain import stamp
from ecrf.kernel.config import Environment
from ecrf.kernel.text import LOCALES, Message, T
from ecrf.study.model import Study
from randomization.breaking import api
from reports import paper
from reports.paper import Head, Lines, heading, space, table

CARD_WIDTHS = (2, 2, 3, 5)
DESK_WIDTHS = (1, 2, 2, 4)


def papers(
    study: Study, made: api.Pack, desk: str, at: datetime, environment: Environment
) -> tuple[bytes, bytes, bytes]:
    """Return the site's cards, the desk's list, and the instructions, each a PDF."""
    paper.fonts()
    water = "" if environment is Environment.PRODUCTION else environment.upper()
    name = f"{study.id} · {made.site} · {made.number}"

    def draw(title: str, story: Iterator[Flowable]) -> bytes:
        head = Head(title, "{page}/{pages}", name)
        return paper.document(title, head, list(story), f"{name} · {stamp(at)}", water)

    return (
        draw("Cards of the site · 中心卡片", _cards(study, made, desk)),
        draw("List of the desk · 值班台清单", _desk(made)),
        draw("Code break by telephone · 电话揭盲", _instructions(desk)),
    )


def _cards(study: Study, made: api.Pack, desk: str) -> Iterator[Flowable]:
    """A block for each card: its number, what it stands for, the share, the legend."""
    legend = _legend(study, made.arms)
    for card in made.cards:
        yield KeepTogether([
            *heading(f"{made.site} · {made.number}-{card.number:03}", 12, 0),
            table(
                [[_two(T("Number")), card.about, _spaced(card.site_share), legend]],
                CARD_WIDTHS, header=False,
            ),
            Lines(_two(T("Call the desk, {desk}. It reads six digits; add each to yours and "
                         "forget tens.", desk=desk))),
            table([[_two(T("Desk")), *[" "] * 6], [_two(T("Sum")), *[" "] * 6]],
                  [2, 1, 1, 1, 1, 1, 1], header=False),
            space(10),
        ])  # fmt: skip


def _desk(made: api.Pack) -> Iterator[Flowable]:
    yield Lines(_two(T("For the desk alone. Before you read a line out: ask who calls, call "
                       "back the number of the site, write down who, when, why.")))  # fmt: skip
    yield space(8)
    rows = [[_two(T("Card")), _two(T("Number")), _two(T("Desk")), _two(T("Read out to, when"))]]
    rows += [
        [f"{made.number}-{card.number:03}", card.about, _spaced(card.desk_share), ""]
        for card in made.cards
    ]
    yield table(rows, DESK_WIDTHS)


def _instructions(desk: str) -> Iterator[Flowable]:
    for locale in LOCALES:
        for n, text in enumerate(_steps(desk), start=1):
            yield Lines(f"{n}. {text.in_(locale)}", 11)
            yield space(4)
        yield space(12)
    yield from heading("0–9 + 0–9", 12)
    digits = range(10)
    yield table(
        [
            ["+", *map(str, digits)],
            *([str(a), *(str((a + b) % 10) for b in digits)] for a in digits),
        ],
        [1] * 11,
    )


def _steps(desk: str) -> Sequence[Message]:
    return (
        T("Use the cards when the system cannot be reached and the treatment must be "
          "known now."),
        T("Take any kit of the participant, or its randomization number, and find the card "
          "with that number."),
        T("Call the desk, {desk}: your name, the site, the number of the card, what happened. "
          "The desk calls back.", desk=desk),
        T("Open the card. The desk reads its six digits. Write them below yours and add each "
          "pair; of a sum above nine keep the last digit."),
        T("All six sums are the same digit: look it up in the legend. If they are not, read "
          "both numbers once more."),
        T("Write on the card who opened it, when and why. Tell only those who treat the "
          "participant."),
        T("As soon as the system is back, have it entered: ecrf randomization offline-card."),
        T("Every three months try it with a card that is not in use, and have the drill "
          "entered."),
    )  # fmt: skip


def _legend(study: Study, arms: Sequence[str]) -> str:
    labels = {arm.id: arm.label for arm in study.arms}
    lines = []
    for place, arm in enumerate(arms, start=1):
        label = labels.get(arm)
        words = f"{label.en} · {label.zh}" if label else ""
        lines.append(f"{_spaced(api.word(place))} = {arm} {words}".strip())
    return "\n".join(lines)


def _spaced(digits: str) -> str:
    return f"{digits[:3]} {digits[3:]}"


def _two(text: Message) -> str:
    return f"{text.in_('en')} · {text.in_('zh')}"
