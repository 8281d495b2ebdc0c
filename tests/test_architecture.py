"""Rules about the code itself: imports, one place for each impurity, sizes, words, style."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ecrf", "forms", "visits", "randomization", "reports")
MODULES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)
TEMPLATES = sorted(path.relative_to(ROOT) for path in (ROOT / "ecrf/web").rglob("*.html"))
STATIC = ROOT / "ecrf" / "web" / "static"
MOST_LINES = 300
LONG = {
    "ecrf/study/model.py": "the vocabulary of a definition is one page and holds no logic",
    "randomization/verify_bundle.py": "it travels alone beside every revealed bundle",
    "reports/verify.py": "it travels alone inside every package",
}

ONLY_IN = {
    "datetime.now": "ecrf/kernel/clock.py",
    "secrets": "ecrf/kernel/chance.py",
    "os.environ": "ecrf/kernel/config.py",
}
NOWHERE = (
    "session.commit", "connection.commit", "datetime.utcnow", "date.today", "datetime.today",
    "time.time", "os.getenv", "os.urandom", "uuid.uuid4", "uuid.uuid1",
)  # fmt: skip
BANNED = ("subject", "subjects", "patient", "patients")
HOME = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w")


@cache
def names_used(path):
    """Return the dotted names a module uses: `a.b` for each attribute, `a` for each import."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def words(text):
    """Return the words of a text or the parts of a name, in lower case."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    return set(re.split(r"[^a-z]+", spaced))


def test_imports_point_down_and_the_vault_has_one_door():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ONLY_IN)
def test_each_impurity_has_one_module(name):
    users = {str(path) for path in MODULES if name in names_used(path)}
    assert users == {ONLY_IN[name]}


@pytest.mark.parametrize("name", NOWHERE)
def test_some_names_are_used_nowhere(name):
    assert not [str(path) for path in MODULES if name in names_used(path)]


def test_a_transaction_ends_only_where_it_began():
    calls = re.compile(r"\.commit\(\)")
    assert not [str(p) for p in MODULES if calls.search((ROOT / p).read_text("utf-8"))]


def test_no_module_is_long():
    sizes = {str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: n for path, n in sizes.items() if n > MOST_LINES and path not in LONG} == {}


def test_one_word_stands_for_a_person_in_the_trial():
    """Words of standards (USUBJID) are quoted in exports, those of instruments in studies."""
    pages = [*MODULES, *TEMPLATES, *(p.relative_to(ROOT) for p in (ROOT / "docs").glob("*.md"))]
    found = {
        (str(page), word)
        for page in pages
        for word in words((ROOT / page).read_text("utf-8")).intersection(BANNED)
    }
    assert found == set()


def test_no_file_names_somebodys_machine():
    kinds = ("*.py", "*.html", "*.css", "*.js", "*.md", "*.yaml", "*.toml", "*.lock", "*.sh")
    folders = (*PACKAGES, "protocols", "docs", "tests", "bench", "tools")
    files = [p for kind in kinds for folder in folders for p in (ROOT / folder).rglob(kind)]
    files += [p for kind in kinds for p in ROOT.glob(kind)]
    assert not [str(path) for path in files if HOME.search(path.read_text("utf-8"))]


def test_pages_carry_no_style_or_script_of_their_own():
    inside = re.compile(r"(?i)\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\bsrc=)|javascript:")
    assert not [str(p) for p in TEMPLATES if inside.search((ROOT / p).read_text("utf-8"))]


def test_nothing_is_fetched_from_outside():
    fetched = re.compile(
        r"""(?:src|href|action)=["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import|@font-face"""
    )
    pages = [ROOT / path for path in TEMPLATES]
    pages += [p for p in STATIC.rglob("*") if p.suffix in (".css", ".js", ".svg")]
    assert not [str(page) for page in pages if fetched.search(page.read_text("utf-8"))]


def test_every_class_of_a_page_has_a_rule():
    """A class built from a value (`ec-status--{{ … }}`) is followed up to the value."""
    style = (STATIC / "ecrf.css").read_text("utf-8")
    rules = set(re.findall(r"\.(ec-[a-z_-]+)", style))
    used = set()
    for path in TEMPLATES:
        for names in re.findall(r'class="([^"]*)"', (ROOT / path).read_text("utf-8")):
            used |= set(re.findall(r"ec-[a-z_-]+", names))
    unknown = {
        name
        for name in used - rules
        if not (name.endswith("-") and any(rule.startswith(name) for rule in rules))
    }
    assert unknown == set()
