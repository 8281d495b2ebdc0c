"""The texts of the program: which there are, and which have their Chinese.

    python -m tools.texts

merges `ecrf/kernel/locale/parts/*.po` into `zh.po`, sorted, and lists what is missing. Exit
status 1 when something is.
"""

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from reports import verify

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "ecrf" / "kernel" / "locale"
PACKAGES = ("ecrf", "forms", "visits", "randomization", "reports")
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true"}


def wordings():
    """Return {English wording: the first place that says it}; `{a}: {b}` says nothing.

    The verifier that travels alone cannot mark its wordings; it lists them.
    """
    found = {}
    for method, pattern, mark in (("python", "*.py", "T"), ("jinja2", "*.html", "t")):
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob(pattern)):
                for line, wording in _wordings(path, method, mark):
                    found.setdefault(wording, f"{path.relative_to(ROOT)}:{line}")
    return found | dict.fromkeys(verify.WORDINGS.values(), "reports/verify.py")


def _wordings(path, method, mark):
    with path.open("rb") as file:
        options = OPTIONS if method == "jinja2" else {}
        for line, said, _comments, _context in extract(
            method, file, {mark: None}, options=options
        ):
            wording = said[0] if isinstance(said, tuple) else said
            if wording and re.search("[A-Za-z]", re.sub(r"{\w+}", "", wording)):
                yield line, wording


def translations(path):
    """Return {wording: Chinese} of one file, without what is empty."""
    with path.open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale="zh") if m.id and m.string}


def merged():
    """Return what zh.po should hold, and the wordings that two parts translate in two ways.

    A part outweighs what zh.po said before, so that a translation can be mended there.
    """
    texts, quarrels = {}, []
    for path in sorted((LOCALE / "parts").glob("*.po")):
        for wording, chinese in translations(path).items():
            if texts.setdefault(wording, chinese) != chinese:
                quarrels.append((wording, texts[wording], chinese, path.name))
    before = translations(LOCALE / "zh.po") if (LOCALE / "zh.po").exists() else {}
    return before | texts, quarrels


def write(texts):
    """Write zh.po: sorted, unwrapped, without anything that changes by itself."""
    catalog = Catalog(locale="zh", charset="utf-8")
    for wording, chinese in texts.items():
        catalog.add(wording, chinese)
    with (LOCALE / "zh.po").open("wb") as file:
        write_po(file, catalog, width=0, sort_output=True, omit_header=True, no_location=True)


def main():
    texts, quarrels = merged()
    write(texts)
    said = wordings()
    missing = sorted(set(said) - set(texts))
    for wording, kept, other, where in quarrels:
        print(f"two translations of {wording!r}: kept {kept}, not {other} ({where})")
    for wording in missing:
        print(f"missing: {said[wording]}: {wording!r}")
    unused = sorted(set(texts) - set(said))
    for wording in unused:
        print(f"unused: {wording!r}")
    print(f"{len(said)} texts, {len(missing)} without Chinese, {len(unused)} unused")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
