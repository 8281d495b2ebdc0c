"""What is printed of a ceremony, in both languages: two publications and the minutes.

No arm, no size of a block. A publication carries its text word for word, for that is what a
stranger compares later.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.platypus import Flowable

from ecrf.kernel.chain import stamp
from ecrf.kernel.ledger import By
from ecrf.kernel.text import LOCALES, Message, T, Text
from randomization.api import Publication, Vault
from randomization.ceremony import api
from randomization.ceremony.api import Announcement, Standing
from reports import paper
from reports.paper import Head, Lines, heading, space, table

PRODUCTION = "production"
QR_POINTS = 110
NAMES: dict[str, Message] = {
    "study": T("Study"),
    "list": T("Randomization list"),
    "environment": T("Environment"),
    "slots asked for": T("Slots asked for"),
    "merkle root": T("Merkle root"),
    "seed commitment": T("Seed commitment"),
    "specification hash": T("Hash of the specification"),
    "beacon": T("Beacon"),
    "beacon known from": T("Known from"),
    "beacon value": T("Value"),
    "file hash": T("SHA-256 of the file"),
    "software": T("Software"),
    "vault key": T("Key of the vault"),
}
FIRST = (
    T("First publication of a randomization list"),
    T("Made known before the beacon's value can be known. It binds the specification and the "
      "sealed seed, so that nobody can try seeds until a list looks right."),
)  # fmt: skip
SECOND = (
    T("Publication of a randomization list"),
    T("Made known before the first participant. The root binds every treatment of the list and "
      "shows none; after the end of the study anyone can check the list against it."),
)  # fmt: skip
FILING = T("File it outside of this system: annex of the protocol, registry, ethics committee.")
WORD_FOR_WORD = T("Word for word, to be compared with the revealed list later:")


def drawn(vault: Vault, by: By, study: str, number: int, name: str) -> bytes:
    """Return the PDF of one of the three records."""
    if name == "minutes":
        stands = api.standing(vault, by, study, number)
        return minutes(stands, api.key_text(vault), by.at)
    if name == "announcement":
        return announcement(api.announcement(vault, by, study, number), by.at)
    return publication(api.published(vault, by, study, number), by.at)


def announcement(said: Announcement, at: datetime) -> bytes:
    """Return the PDF of the first publication."""
    marks = said.seed_commitment
    return _publication(FIRST, said.environment, said.lines(), said.text(), marks, at)


def publication(said: Publication, at: datetime) -> bytes:
    """Return the PDF of the second publication."""
    return _publication(SECOND, said.environment, said.lines(), said.text(), said.root, at)


def minutes(standing: Standing, key: str, at: datetime) -> bytes:
    """Return the PDF of the minutes, in one language after the other."""
    title = T("Minutes of the ceremony")
    head = _head(title, f"{standing.study} · {standing.version} · {standing.environment}")
    story = [part for locale in LOCALES for part in _steps(standing, key, locale)]
    return paper.document(head.left, head, story, stamp(at), _water(standing.environment))


def _publication(
    kind: tuple[Message, Message], environment: str, lines: Sequence[tuple[str, str]],
    text: str, mark: str, at: datetime,
) -> bytes:  # fmt: skip
    paper.fonts()
    title, meaning = kind
    told = dict(lines)
    head = _head(title, f"{told['study']} · {told['list']} · {environment}")
    story: list[Flowable] = []
    for locale in LOCALES:
        story += [Lines(meaning.in_(locale), 10), Lines(FILING.in_(locale), 10), space()]
    rows = [[_both(NAMES[name]), value] for name, value in lines]
    story += [table(rows, (1, 3), header=False), space(12)]
    story += [*heading(_both(WORD_FOR_WORD), 10), *(Lines(line) for line in text.splitlines())]
    story += [space(12), _qr(mark), space(18)]
    story += [Lines(_both(T("Signature and date: ______________________________")), 10)]
    return paper.document(head.left, head, story, stamp(at), _water(environment))


def _steps(standing: Standing, key: str, locale: str) -> Iterator[Flowable]:
    """Yield every step: what, who, when, what it meant, which facts it added."""
    paper.fonts()
    intro = T("List {n} of {study} ({environment}); key of the vault: {key}",
              n=standing.version, study=standing.study, environment=standing.environment,
              key=key)  # fmt: skip
    yield from heading(T("Minutes of the ceremony").in_(locale), 14)
    yield Lines(intro.in_(locale))
    yield space(8)
    for number, line in enumerate(api.lines(standing), start=1):
        yield from heading(f"{number}. {line.title.in_(locale)}", 10)
        rows = [
            [T("By").in_(locale), f"{line.name} · {line.role.in_(locale)}"],
            [T("Time").in_(locale), stamp(line.at)],
            [T("Meaning of the signature").in_(locale), line.meaning.in_(locale)],
            *([name.in_(locale), _say(value, locale)] for name, value in line.facts),
        ]
        yield table(rows, (1, 3), header=False)
        yield space(10)


def _say(value: Text | str, locale: str) -> str:
    return value if isinstance(value, str) else value.in_(locale)


def _both(text: Message) -> str:
    return " · ".join(text.in_(locale) for locale in LOCALES)


def _head(title: Message, under: str) -> Head:
    return Head(_both(title), "{page}/{pages}", under)


def _water(environment: str) -> str:
    return "" if environment == PRODUCTION else environment.upper()


def _qr(content: str) -> Flowable:
    drawing = Drawing(QR_POINTS, QR_POINTS)
    drawing.add(QrCodeWidget(content, barWidth=QR_POINTS, barHeight=QR_POINTS))
    return drawing
