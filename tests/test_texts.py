"""Every text of the program exists in Simplified Chinese, with the same values put in."""

import ast
import re

import pytest

from ecrf.kernel.text import T
from tools import texts

PLACES = re.compile(r"{(\w+)}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME = {"eCRF", "OK"}
SAID = texts.wordings()
CATALOG = texts.translations(texts.LOCALE / "zh.po")


def test_the_program_says_something():
    assert "Sign in" in SAID


def test_every_text_has_its_chinese():
    missing = {SAID[wording]: wording for wording in SAID if wording not in CATALOG}
    assert missing == {}, "add it to ecrf/kernel/locale/zh.po, or run make texts"


def test_a_translation_puts_in_the_same_values():
    differing = [
        w for w, z in CATALOG.items() if set(PLACES.findall(w)) != set(PLACES.findall(z))
    ]
    assert differing == []


def test_a_translation_is_chinese():
    wordy = {w: z for w, z in CATALOG.items() if w not in SAME and re.search(r"[a-z]{4}", w)}
    assert [w for w, z in wordy.items() if not CHINESE.search(z)] == []


def test_the_catalog_is_sorted_and_merged():
    """`make texts` writes it, so that two people's additions never collide twice."""
    found = [line for line in (texts.LOCALE / "zh.po").read_text("utf-8").splitlines() if line]
    wordings = [ast.literal_eval(x.removeprefix("msgid ")) for x in found if x[:6] == "msgid "]
    whole = [wording for wording in wordings if wording]
    assert whole == sorted(whole)
    assert texts.merged()[0] == CATALOG


def test_a_text_is_written_out_where_it_is_made():
    """`T(variable)` would hide a text from the list of texts."""
    hidden = []
    for package in texts.PACKAGES:
        for path in (texts.ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "T":
                    given = node.args[0]
                    if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
                        hidden.append(f"{path.relative_to(texts.ROOT)}:{node.lineno}")
    assert hidden == ["ecrf/web/app.py:" + str(_line_of_t())]


def _line_of_t():
    """Return where a template's `t()` becomes a `T()`; its wordings are read from templates."""
    lines = (texts.ROOT / "ecrf/web/app.py").read_text("utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if "T(wording, **values)" in line)


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_message_takes_its_values_in_every_language(locale):
    said = T("Sign in as {name}", name="anna").in_(locale)
    assert "anna" in said
    assert "{" not in said
