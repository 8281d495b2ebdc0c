"""Every route of both apps, as everybody who is blinded and as nobody: the same in both worlds.

The routes are those the apps have, filled with what the worlds hold, so that a new page is
judged without being named here.
"""

import re
import sqlite3
from types import SimpleNamespace

import pytest

from ecrf.kernel.access import BLINDED, Role
from ecrf.web.routes import Open
from tests.blinding import judge, routes, worlds
from tests.blinding.judge import Witness
from tests.blinding.worlds import CANARIES

APPS = {"blinded": "app", "vault": "vault_app"}
SENT = 40
"""Forms sent as they stand, for each person and app."""
LEAVING = ("/sign-in", "/sign-out")
LONG = (".pdf", ".zip", "/quality.csv")
NARROW = {"printing.blank": "?form=ie"}
"""The blank book of all visits takes ten seconds and holds nothing but the definition."""
DEFINITION = ("/about", "/amendments", "/code-break", "/consort")
"""Pages that show the study's own definition: which arms there are is no secret."""
PUBLISHED = ("/consort", "/lists", "/unblinding")
"""Pages that show the published root, or a hash it went into: it follows from the arms, and is
made known because it tells none of them."""
HASH = re.compile(rb"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def names(people, built):
    """A user name for each blinded role; None is nobody."""
    with worlds.opened(worlds.configured(built / "one", built / "protocols")) as place:
        found = {role: name for name, role in reversed(worlds.blinded_people(place).items())}
        elsewhere = set(people) - set(found.values())
    return {**found, "elsewhere": elsewhere.pop(), "nobody": None}


WHO = (*sorted(BLINDED), "elsewhere", "nobody")


@pytest.fixture(scope="module")
def apps(pair):
    """The apps of each world, made once: what takes longest is to read their templates."""
    return [{kind: getattr(world, make)() for kind, make in APPS.items()} for world in pair]


def visited(world, app, name, *, long):
    """Return all that one person gets: every route read, then sent empty, then as it stands.

    `long`: also what is made at length; it holds the same for all who may have it.
    """
    judge.forget()
    witness = Witness(world, app, name)
    paths = [t for t in routes.targets(app, world) if t[1] not in LEAVING]
    paths = [t for t in paths if not t[1].endswith(LONG)] + (_long(app, paths) if long else [])
    read = [witness.get(path) for method, path in paths if method == "GET"]
    sent = [witness.post(path) for method, path in paths if method == "POST"]
    return [*read, *sent, *_as_they_stand(witness, read)]


def _long(app, paths):
    """Return one of each kind of paper and archive: the others are made the same way."""
    found = {_page_of(app, path): (method, path) for method, path in reversed(paths)
             if path.endswith(LONG)}  # fmt: skip
    return [(method, path + NARROW.get(page, "")) for page, (method, path) in found.items()]


def _page_of(app, path):
    return app.url_map.bind("").match(path.partition("?")[0], method="GET")[0]


def _as_they_stand(witness, read):
    """Send the forms of the pages as they stand, with the password where one is asked for."""
    found, known = [], set()
    for page in read:
        if page.status != 200 or not _html(page):
            continue
        path = page.what.split()[-1]
        for target, fields in judge.forms(page.body.decode(), path):
            if target in LEAVING or (target, *fields) in known or len(found) == SENT:
                continue
            known.add((target, *fields))
            if "password" in fields and witness.username:
                fields["password"] = witness.world.password(witness.username)
            found.append(witness.post(target, fields))
    return found


def _html(page):
    return dict(page.headers).get("Content-Type", "").startswith("text/html")


@pytest.mark.req("BL-03", "EX-04", "L7", "L9", "L11")
@pytest.mark.parametrize("kind", APPS)
@pytest.mark.parametrize("who", WHO)
def test_every_route_gives_a_blinded_person_the_same_in_both_worlds(
    pair, apps, names, who, kind
):
    long = who in (Role.DATA_MANAGER, "nobody")
    one, other = (
        visited(world, made[kind], names[who], long=long)
        for world, made in zip(pair, apps, strict=True)
    )
    assert judge.differences(*map(_without_hashes, (one, other))) == []
    assert _astray(one) == {}
    assert [page.what for page in one if page.status >= 500] == []
    assert len(one) > (60 if kind == "blinded" else 20)


def _without_hashes(pages):
    """Return the pages without what was published; of papers only that they came."""
    return [_unpublished(page) if _shows_hashes(page) else page for page in pages]


def _shows_hashes(page):
    return any(part in page.what for part in PUBLISHED)


def _unpublished(page):
    told = dict(page.headers)
    if told.get("Content-Type", "").startswith("text/"):
        return page._replace(body=HASH.sub(b"-", page.body))
    told.pop("Content-Length", None)
    return page._replace(body=b"", headers=tuple(told.items()))


def _astray(pages):
    """Return where the name of an arm stands outside of the study's own definition."""
    found = {}
    for page in pages:
        shown = judge.hits(page.body + str(page.headers).encode(), CANARIES)
        told = judge.hits("\n".join(page.log).encode(), CANARIES)
        if told or (shown and not any(part in page.what for part in DEFINITION)):
            found[page.what] = shown | told
    return found


@pytest.fixture
def apart(built, tmp_path):
    """A world of its own, so that the two of the module stay alike."""
    with worlds.reopened(built / "one", tmp_path / "one") as world:
        yield world


def test_what_a_role_may_open_it_does_open(apart, names):
    """The judge is no judge of refusals alone: every open page is shown to somebody."""
    world = apart
    app = world.app()
    opened = set()
    targets = list(routes.targets(app, world))
    short = [target for target in targets if not target[1].endswith(LONG)]
    paths = [
        (_page_of(app, path), path)
        for method, path in [*short, *_long(app, targets)]
        if method == "GET"
    ]
    for who in WHO:
        witness = Witness(world, app, names[who])
        for page, path in paths:
            if page not in opened and witness.get(path).status == 200:
                opened.add(page)
    needed = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and getattr(app.view_functions[rule.endpoint], "needs", "")
    }
    never = needed - opened - {"exports.download", "exports.check", "double.show"}
    assert len(never) <= 8, sorted(never)


@pytest.mark.req("BL-03", "L9")
def test_a_page_that_breaks_says_the_same_on_the_page_and_in_the_log(pair, names):
    """Whatever breaks: status, page, reference and traceback are the same."""
    answers = []
    for world in pair:
        judge.forget()
        app = world.app()
        for endpoint, view in list(app.view_functions.items()):
            if getattr(view, "needs", None) is not None:
                app.view_functions[endpoint] = _broken
        witness = Witness(world, app, names[Role.DATA_MANAGER])
        answers.append([witness.send(*target) for target in routes.targets(app, world)])
    assert judge.differences(*answers) == []
    broken = [page for page in answers[0] if page.status == 500]
    assert len(broken) > 60
    assert all("Traceback" in "\n".join(page.log) for page in broken)


def _broken(**_values):
    raise RuntimeError("something broke")


def test_a_route_nobody_can_fill_fails_the_test(pair):
    """A new route with a parameter the world does not know has to be looked at by somebody."""
    app = pair[0].app()
    app.add_url_rule("/<study_id>/strange/<wholly_unknown>", "strange", lambda: "")
    with pytest.raises(routes.Unfilled, match="wholly_unknown"):
        list(routes.targets(app, pair[0]))


def test_a_new_route_is_judged_without_being_named(pair):
    app = pair[0].app()
    app.add_url_rule("/<study_id>/new/<code>/<int:number>", "new", lambda **_: "")
    found = [path for _, path in routes.targets(app, pair[0]) if "/new/" in path]
    assert any(path.startswith(f"/{worlds.STUDY}/new/PUMCH-0") for path in found)


@pytest.mark.req("BL-03", "L9", "L17")
def test_after_all_of_it_the_main_databases_are_still_the_same(pair):
    """Run last in this module: everybody has sent every form; no row, act or mail differs."""
    one, other = (rows(world.config.data_dir / "ecrf.db") for world in pair)
    assert one == other


def rows(path):
    """Return every row of every table, in the order they lie in the file.

    What is made anew by a migration may name its parts in any order; that is no row.
    """
    with sqlite3.connect(path) as connection:
        return [line for line in connection.iterdump() if not line.startswith("CREATE ")]


def test_every_page_says_what_it_needs(pair):
    """What `needs` reads is there: the pages of the apps, but for those of the framework."""
    app = pair[0].app()
    open_ = {Open.PUBLIC, Open.SIGNED_IN}
    views = [
        SimpleNamespace(needs=getattr(v, "needs", None)) for v in app.view_functions.values()
    ]
    assert sum(view.needs is None for view in views) <= 1
    assert any(view.needs not in open_ for view in views)
