"""Every page a person can reach by following links, fetched without a browser, and its shape.

The shape of a page is the set of its elements, each with all that axe judges and that does not
depend on the words: tag, class, role, attributes, whether anything stands in it, what it stands
in, and which heading follows which. Two pages of one kind whose elements are of the same shapes
get the same judgement; so a browser needs to see each shape once.
"""

import re
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from werkzeug.test import Client

from ecrf.kernel import accounts
from ecrf.web.routes import COOKIE

LEFT_OUT = re.compile(r"/static/|/sign-out|\.(?:zip|pdf|csv|json|ics|txt)$|/download")
LOCALES = {"en": "en", "zh": "zh-CN"}
MOST_KINDS = 80
"""Kinds of pages of one person; more of them are no kinds, but `kind_of` missing a pattern."""
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
STATE = {"value", "id", "checked", "selected", "href", "name", "for", "content", "src"}
NAMED = ("aria-label", "aria-labelledby", "title", "alt", "value")


class Page(NamedTuple):
    """A page as one person gets it."""

    path: str
    kind: str
    shapes: frozenset
    wrong: tuple


def kind_of(path):
    """Return the path without what tells one participant, visit or form from another."""
    path = re.sub(r"/[A-Z]{2,8}-\d+", "/CODE", path)
    path = re.sub(r"/visits/[^/]+/[^/]+", "/visits/KEY/FORM", path)
    path = re.sub(r"/visits/[^/]+$", "/visits/KEY", path)
    return re.sub(r"/\d+", "/1", path)


class Shape(HTMLParser):
    """Reads a page: its links, its language, the shapes of its elements."""

    def __init__(self, html):
        super().__init__()
        self.links, self.shapes, self.language = [], set(), None
        self._open, self._heading = [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if tag == "html":
            self.language = told.get("lang")
        if re.fullmatch("h[1-6]", tag):
            self.shapes.add((self._heading, tag))
            self._heading = tag
        kept = frozenset(name for name in told if name not in STATE)
        shape = (tag, told.get("class"), told.get("role"), told.get("type"), kept)
        filled = any(told.get(name) for name in NAMED)
        if tag in VOID:
            self._add(shape, filled)
        else:
            self._open.append([shape, filled])

    def handle_data(self, data):
        if data.strip():
            for element in self._open:
                element[1] = True

    def handle_endtag(self, tag):
        while any(shape[0] == tag for shape, _ in self._open):
            shape, filled = self._open.pop()
            self._add(shape, filled)
            if shape[0] == tag:
                break

    def _add(self, shape, filled):
        around = self._open[-1][0] if self._open else None
        self.shapes.add((around, shape, filled))


def signed_in(site, by, actor):
    """Return the token of a session that was begun by somebody signing in."""
    with site.database.write() as session:
        return accounts.sign_in(session, by(actor), actor.id)[0]


def crawl(app, token):
    """Yield one page of each kind, breadth first from where the person comes in."""
    client = Client(app)
    client.set_cookie(COOKIE, token)
    waiting, met = [client.get("/", follow_redirects=True).request.path], set()
    while waiting:
        path = waiting.pop(0)
        if kind_of(path) in met:
            continue
        met.add(kind_of(path))
        assert len(met) <= MOST_KINDS, sorted(met)
        page, links = _fetched(client, path)
        yield page
        waiting.extend(links)


def _fetched(client, path):
    """Return the page in English with what is wrong in either language, and where it leads."""
    wrong, pages = [], []
    for locale, language in LOCALES.items():
        answer = client.get(path, query_string={"lang": locale}, follow_redirects=True)
        page = Shape(answer.text)
        pages.append(page)
        if answer.status_code != 200:
            wrong.append(f"{path} {locale}: status {answer.status_code}")
        elif page.language != language:
            wrong.append(f"{path} {locale}: its language is {page.language}")
    english = pages[0]
    shapes = frozenset().union(*(page.shapes for page in pages))
    return Page(path, kind_of(path), shapes, tuple(wrong)), _inside(path, english.links)


def _inside(path, links):
    found = (urlsplit(urljoin(f"http://here{path}", link)) for link in links)
    return [p.path for p in found if p.netloc == "here" and not LEFT_OUT.search(p.path)]


def chosen(pages):
    """Return those of (person, page) that show an element in a way no earlier one does.

    A person's first page is always among them: it stands for their own menu.
    """
    shown, met, kept = {}, set(), []
    for person, page in pages:
        known = shown.setdefault(page.kind, set())
        if person not in met or page.shapes - known:
            kept.append((person, page))
        met.add(person)
        known |= page.shapes
    return kept
