"""Whatever stands in the files, reading ends with findings and never with an exception."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecrf.study.canonical import canonical, from_canonical
from tests.study.tiny import FILES, Folder

VALUES = (
    "1", "true", "null", "[]", "{}", "''", "x", "[1, 2]", "{a: b}", "-1", "0.5", "*a", "&a 1",
    "!!int 3", "? x", "|", "SCR.dm", "row.x", "all.log", "'('", "sum(x for x in organs)",
    "{en: a, zh: b}", "\x00", "\t", "latest.vs", "previous", "2024-01-01", "1e400", ".nan",
    "0x1f", "<<: *x", "007", "Y", "no",
)  # fmt: skip


@st.composite
def spoilt(draw):
    """A file of the tiny study with lines dropped, moved, repeated or given other values."""
    name = draw(st.sampled_from(sorted(FILES)))
    lines = FILES[name].split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "indent", "value", "repeat", "letter"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "indent":
                lines[at] = "  " * draw(st.integers(0, 4)) + lines[at].strip()
            case "value" if ":" in lines[at]:
                key = lines[at].split(":")[0]
                lines[at] = f"{key}: {draw(st.sampled_from(VALUES))}"
            case "repeat":
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
            case "letter":
                where = draw(st.integers(0, len(lines[at])))
                letter = draw(st.sampled_from("{}[]:,'\"&*x1 -#|>%@`"))
                lines[at] = lines[at][:where] + letter + lines[at][where + 1 :]
    return name, "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("hostile"))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(change=spoilt())
def test_a_spoilt_file_gives_findings_with_places_or_a_study_that_can_be_kept(change, folder):
    name, text = change
    folder.write(name, text)
    try:
        reading = folder.read()
    finally:
        folder.write(name, FILES[name])
    assert all(f.line >= 1 and f.column >= 1 and str(f.message) for f in reading.findings)
    if reading.study is None:
        assert any(f.severity == "error" for f in reading.findings)
    else:
        assert from_canonical(canonical(reading.study)) == reading.study
