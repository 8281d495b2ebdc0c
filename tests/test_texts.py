"""Every text of the program exists in Simplified Chinese, with the same values put in."""

import ast
import re

import pytest

from ecrf.kernel.text import T
from tools import texts

PLACES = re.compile(r"{(\w+)}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME = {"eCRF", "OK"}
LISTED_ELSEWHERE = {
    ("ecrf/web/app.py", "wording"),
    ("ecrf/web/exports.py", "verify.WORDINGS[fault.kind]"),
}
"""Where a text is said that is written out in a template, or in the verifier's own list."""

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
    wordy = [w for w in CATALOG if re.search(r"[a-z]{4}", PLACES.sub("", w)) and w not in SAME]
    assert [wording for wording in wordy if not CHINESE.search(CATALOG[wording])] == []


def test_the_catalog_is_sorted_and_merged():
    """`make texts` writes it, so that two people's additions never collide twice."""
    found = [line for line in (texts.LOCALE / "zh.po").read_text("utf-8").splitlines() if line]
    wordings = [ast.literal_eval(x.removeprefix("msgid ")) for x in found if x[:6] == "msgid "]
    whole = [wording for wording in wordings if wording]
    assert whole == sorted(whole)
    assert texts.merged()[0] == CATALOG


def test_a_text_is_written_out_where_it_is_made():
    """`T(variable)` would hide a text from the list of texts."""
    hidden = set()
    for package in texts.PACKAGES:
        for path in (texts.ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "T":
                    given = node.args[0]
                    if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
                        hidden.add((str(path.relative_to(texts.ROOT)), ast.unparse(given)))
    assert hidden == LISTED_ELSEWHERE


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_message_takes_its_values_in_every_language(locale):
    said = T("Sign in as {name}", name="anna").in_(locale)
    assert "anna" in said
    assert "{" not in said
