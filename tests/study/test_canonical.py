"""The fingerprint: the same for the same meaning, another for another."""

import re
from decimal import Decimal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecrf.study.canonical import canonical, fingerprint, from_canonical
from tests.study.tiny import FILES, Folder

KEEP_ORDER = {"units"}
"""Of units the first is the canonical one, so their order means something."""


def test_a_study_comes_back_from_its_canonical_text_exactly(tiny):
    study = tiny.read().study
    text = canonical(study)
    back = from_canonical(text)
    assert back == study
    assert canonical(back) == text
    assert list(back.forms) == list(study.forms)
    assert back.forms["ie"].checks[0].when.tree == study.forms["ie"].checks[0].when.tree
    assert repr(back.forms["vs"]) == repr(study.forms["vs"])


def test_the_canonical_text_has_numbers_as_text_and_sorted_keys(tiny):
    text = canonical(tiny.read().study)
    assert '"factor":"7.50061"' in text
    assert '"hard":["50","300"]' in text
    assert not re.search(r": |, \"|\n", re.sub(r'"(\\.|[^"])*"', '""', text))


def test_the_fingerprint_is_pinned(tiny):
    """It may change only with the meaning of a definition, never with the program."""
    assert fingerprint(tiny.read().study) == PINNED


def test_a_part_the_study_says_nothing_of_leaves_no_trace_in_the_text(tiny):
    """What the program has learned since (cases, conditions, plans) must not be in it."""
    study = tiny.read().study
    forms = {
        form.id: form.model_copy(update={"checks": tuple(map(_without_cases, form.checks))})
        for form in study.forms.values()
    }
    supply = study.supply.model_copy(update={"label": None})
    then = study.model_copy(update={"forms": forms, "supply": supply})
    assert fingerprint(then) == AS_OF_THE_FIRST_DAY


def _without_cases(check):
    return check.model_copy(update={"pass_": (), "fail": ()})


def _shuffled(node, draw, inside=""):
    if isinstance(node, dict):
        keys = list(node)
        if inside not in KEEP_ORDER:
            keys = draw(st.permutations(keys))
        return {key: _shuffled(node[key], draw, key) for key in keys}
    if isinstance(node, list):
        return [_shuffled(member, draw) for member in node]
    return node


def _commented(text, draw):
    """Put comments before some of the keys that begin a line."""
    lines = re.split(r"^(?=\w)", text, flags=re.MULTILINE)
    return "".join(draw(st.sampled_from(["", "# a comment\n"])) + line for line in lines)


@pytest.fixture(scope="module")
def plain():
    """The files of the tiny study as plain data; every scalar is text with its quotes."""
    return {name: yaml.load(text, yaml.CSafeLoader) for name, text in FILES.items()}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_the_order_of_keys_and_comments_do_not_change_the_fingerprint(
    data, plain, tmp_path_factory
):
    folder = Folder(tmp_path_factory.mktemp("shuffled"))
    for name, content in plain.items():
        shuffled = _shuffled(content, data.draw)
        text = yaml.safe_dump(shuffled, sort_keys=False, allow_unicode=True)
        (folder.root / name).write_text(_commented(text, data.draw), "utf-8")
    reading = folder.read()
    assert reading.findings == ()
    assert fingerprint(reading.study) == PINNED


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    high=st.decimals(min_value=180, max_value=1000, places=2, allow_nan=False).filter(
        lambda number: number != Decimal(300)
    )
)
def test_a_changed_limit_changes_the_fingerprint(high, tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("limit"))
    folder.change("library/forms/vs.yaml", '["50", "300"]', f'["50", "{high}"]')
    study = folder.read().study
    assert study.forms["vs"].cells["sbp"].question.limits.hard == (Decimal(50), high)
    assert fingerprint(study) != PINNED


CHANGES = [
    ("library/forms/vs.yaml", "sbp <= dbp", "dbp >= sbp"),
    ("library/forms/vs.yaml", "zh: 收缩压", "zh: 收缩期血压"),
    ("tiny/study.yaml", "[dm, ie, vs, log]", "[ie, dm, vs, log]"),
    ("tiny/schedule.yaml", "after: 7", "after: 8"),
    ("tiny/schedule.yaml", "dm: {SCR: R}", "dm: {SCR: C}"),
    ("tiny/codes.yaml", "{en: Male, zh: 男}", "{en: Man, zh: 男}"),
    ("tiny/forms/dm.yaml", "unknown: month", "unknown: day"),
    ("tiny/forms/ie.yaml", "closed: [urgent]", "closed: []"),
    ("tiny/study.yaml", "confirm: {en: Randomize now?", "confirm: {en: Randomize?"),
]


@pytest.mark.parametrize("file, old, new", CHANGES)
def test_a_changed_meaning_changes_the_fingerprint(tiny, file, old, new):
    tiny.change(file, old, new)
    assert fingerprint(tiny.read().study) != PINNED


def test_a_list_of_the_library_the_study_does_not_use_does_not_change_it(tiny):
    tiny.change(
        "library/codes.yaml", "{value: X, label: {en: X", "{value: X, label: {en: Other"
    )
    assert fingerprint(tiny.read().study) == PINNED


def test_what_says_the_default_does_not_change_it(tiny):
    tiny.change("library/forms/vs.yaml", "form: vs", "form: vs\nrepeating: false")
    assert fingerprint(tiny.read().study) == PINNED


PINNED = "74bb8cfca4530bec654422a9a24dafa8fbb0e80c1833352e7b2f9302d5e16165"
AS_OF_THE_FIRST_DAY = "13272f710a6b3d8f06ae115020be3aae5dfa845872aed3de9971a3195448041a"
