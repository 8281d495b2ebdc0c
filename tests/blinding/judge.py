"""The judge: what a person gets from one request, all of it, and where two worlds differ."""

import base64
import io
import logging
import re
import sys
import zipfile
import zlib
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from sqlalchemy import event

KEPT = ("_KNOWN", "_DRAWN")
OURS = ("ecrf", "forms", "visits", "randomization", "reports")
LINES = logging.Formatter("%(name)s %(levelname)s %(message)s")


class Seen(NamedTuple):
    """One request and everything that came of it."""

    what: str
    status: int
    headers: tuple
    body: bytes
    log: tuple
    statements: tuple


class Witness:
    """Sends requests to one world's app and keeps all that can be seen of them."""

    def __init__(self, world, app, username=None):
        self.world = world
        self.app = app
        self.username = username
        self.client, self.csrf = (
            world.sign_in(app, username) if username else (app.test_client(), "")
        )

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, data=None):
        return self.send("POST", path, {"csrf": self.csrf, **(data or {})})

    def send(self, method, path, data=None):
        place = self.world.place
        with heard_lines() as lines, counted(place.database, place.vault) as sent:
            answer = self.client.open(path, method=method, data=data, buffered=True)
        return Seen(
            f"{self.username or 'nobody'} {method} {path}",
            answer.status_code,
            tuple(sorted(h for h in answer.headers.items() if h[0] != "Date")),
            answer.data,
            tuple(neutral(line, self.world) for line in lines),
            tuple(sent),
        )


def forget():
    """Empty what this process keeps of former requests, so that each world begins alike.

    What is kept by `functools.cache` is no data of a world: texts, fonts, built queries.
    """
    for at, module in list(sys.modules.items()):
        if at.split(".")[0] in OURS:
            for kept in (getattr(module, name, None) for name in KEPT):
                if isinstance(kept, dict):
                    kept.clear()


def neutral(text, world):
    """Return a text without the folder the world lies in: only that may differ."""
    return text.replace(str(world.config.data_dir), "<data>")


def differences(one, other):
    """Return in what two lists of requests differ, request by request."""
    found = [f"{len(one)} requests, {len(other)} requests"] if len(one) != len(other) else []
    for mine, theirs in zip(one, other, strict=False):
        unlike = [n for n in Seen._fields if getattr(mine, n) != getattr(theirs, n)]
        found += [f"{mine.what}: {name}" for name in unlike]
    return found


@contextmanager
def heard_lines(*names):
    """Give a list that fills with every line of log, tracebacks included."""
    lines = []

    class Ear(logging.Handler):
        def emit(self, record):
            lines.append(LINES.format(record))

    ear, loggers = Ear(), [logging.getLogger(name) for name in names or ("",)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(ear)
        logger.setLevel(min(logger.level or logging.DEBUG, logging.INFO))
    try:
        yield lines
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(ear)
            logger.setLevel(level)


@contextmanager
def counted(*databases):
    """Give a list that fills with the statements sent to the databases."""
    sent = []

    def hear(_connection, _cursor, statement, _parameters, _context, _many):
        sent.append(statement)

    for database in databases:
        event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        for database in databases:
            event.remove(database.engine, "before_cursor_execute", hear)


class _Forms(HTMLParser):
    """Collects the forms of a page as a browser would send them untouched."""

    def __init__(self):
        super().__init__()
        self.forms, self.select, self.area = [], None, None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "form":
            self.forms.append((values.get("method", "get").lower(), values.get("action"), {}))
        if not self.forms:
            return
        fields, name = self.forms[-1][2], values.get("name")
        if tag in ("input", "button") and name and self._sent(values):
            fields.setdefault(name, values.get("value", "on"))
        if tag == "select" and name:
            self.select = name
        chosen = "selected" in values or self.select not in fields
        if tag == "option" and self.select and values.get("value") and chosen:
            fields[self.select] = values["value"]
        if tag == "textarea" and name:
            fields.setdefault(name, "seen")

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None

    @staticmethod
    def _sent(values):
        chosen = values.get("type", "text") not in ("radio", "checkbox", "file")
        return (chosen or "checked" in values) and "disabled" not in values


def forms(page, path):
    """Return (path, fields) of every form of a page that is posted."""
    reader = _Forms()
    reader.feed(page)
    return [
        (urljoin(path, action or path), fields)
        for method, action, fields in reader.forms
        if method == "post"
    ]


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.found.append(values["href"])


def links(page):
    """Return where the links of a page lead, in order."""
    reader = _Links()
    reader.feed(page)
    return reader.found


def crawl(witness, start, limit, seen=()):
    """Yield what every page reachable by links shows, breadth first, without archives."""
    waiting, known = [start], {start, *seen}
    while waiting and limit:
        path = waiting.pop(0)
        found = witness.get(path)
        limit -= 1
        yield found
        headers = dict(found.headers)
        if not headers.get("Content-Type", "").startswith("text/html"):
            continue
        for link in [*links(found.body.decode()), headers.get("Location", "")]:
            target = urldefrag(urljoin(path, link)).url
            if target and not apart(target) and target not in known:
                known.add(target)
                waiting.append(target)


def apart(target):
    """Say whether a link leads to another host, or to what is compared once, elsewhere."""
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.path.endswith(".zip")


def plain(content):
    """Yield the bytes and everything packed in them: archives, and the streams of a PDF."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode()
                yield from plain(archive.read(entry))
    elif content.startswith(b"\x1f\x8b"):
        yield from plain(zlib.decompress(content, 31))
    elif content.startswith(b"%PDF"):
        yield from _streams(content)


def _streams(content):
    for part in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        for raw in (part, _ascii85(part)):
            try:
                yield zlib.decompress(raw)
            except zlib.error:
                continue


def _ascii85(part):
    try:
        return base64.a85decode(part.strip().removesuffix(b"~>"))
    except ValueError:
        return b""


def hits(content, words):
    """Return the words that stand in the bytes or in what is packed in them, in any coding."""
    found = set()
    for part in plain(content):
        for word in words:
            for coded in (
                word.encode(),
                word.encode("utf-16-le"),
                word.encode().hex().encode(),
            ):
                if coded in part:
                    found.add(word)
    return found
