"""Files by name and by bytes. Pure."""

import hashlib

import pytest

from ecrf.study.files import FileRule
from forms.files import naming
from forms.files.naming import Named

SHA = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        (r"C:\Users\x\胰腺 CT.pdf", "胰腺 CT.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\x00\nb.png", "ab.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("x sha256:abc.pdf", "x abc.pdf"),
        ("..\\", "file"),
        ("n" * 300 + ".pdf", "n" * 116 + ".pdf"),
    ],
)
def test_a_name_keeps_what_is_a_name(given, kept):
    assert naming.clean(given) == kept
    one = Named(naming.clean(given), SHA)
    assert naming.named(one.answer) == one


@pytest.mark.parametrize(
    "text", ["report.pdf", f"sha256:{SHA}", f"a\nb sha256:{SHA}", "a sha256:12"]
)
def test_what_names_no_content_is_no_answer(text):
    assert naming.named(text) is None
    assert "Choose one and save" in naming.read("Report", text).in_("en")


@pytest.mark.req("F6")
def test_a_file_is_known_by_its_bytes_and_bounded_by_the_study():
    """F6: type and size are data; a name cannot lie about what a file is."""
    rule = FileRule(kinds=("pdf", "dicom"), megabytes=1)

    def said(name, content):
        text = naming.refusal("Report", rule, name, content)
        return text and text.in_("en")

    assert said("a.pdf", b"%PDF-1.4") is None
    assert said("a", bytes(128) + b"DICM") is None
    assert said("a.pdf", b"MZ\x90") == "Report: a.pdf is none of the kinds taken: PDF, DICOM."
    assert said("a.png", b"\x89PNG\r\n\x1a\n").endswith("PDF, DICOM.")
    assert said("a.pdf", b"") == "Report: the file a.pdf is empty."
    assert said("a.pdf", b"%PDF-" + bytes(1_100_000)).endswith(
        "1.1 MB. At most 1 MB are taken."
    )
