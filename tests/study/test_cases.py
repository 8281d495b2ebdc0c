"""Every check carries cases of its own, and the check of a study runs them."""

import pytest

FILE = "library/forms/vs.yaml"
CASES = 'pass: {sbp: "120", dbp: "80"}, fail: {sbp: "80", dbp: "80"}'
WRONG = [
    ('pass: {sbp: "80", dbp: "80"}, fail: {sbp: "80", dbp: "80"}', "it fires, but"),
    ('pass: {sbp: "120", dbp: "80"}, fail: {sbp: "81", dbp: "80"}', "does not fire, but"),
    ('pass: {sbp: "120"}, fail: {sbp: "80", dbp: "80"}', "it is unknown, but"),
    ('pass: {sbp: "120", dbp: "80"}', "has no case under fail"),
    ('pass: {sbp: "120", pulsee: "1"}, fail: {sbp: "80", dbp: "80"}', "cannot give pulsee"),
    ('pass: {sbp: "120", dbp: "eighty"}, fail: {sbp: "80", dbp: "80"}', "dbp is never eighty"),
]  # fmt: skip


@pytest.mark.parametrize(("cases", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_case_that_does_not_do_what_it_says_is_told_with_its_line(tiny, cases, told):
    tiny.change(FILE, CASES, cases)
    [finding] = tiny.findings()
    assert told in finding
    assert finding.startswith(FILE)


def test_a_case_may_be_one_of_several_and_look_beyond_the_form(tiny):
    tiny.change(
        FILE, "when: sbp <= dbp, severity: hard",
        'when: sbp <= dbp or (visit == "W4" and SCR.dm.sex == "F"), severity: hard',
    )  # fmt: skip
    tiny.change(
        FILE, CASES,
        'pass: [{sbp: "120", dbp: "80", visit: BL},\n'
        '            {sbp: "120", dbp: "80", visit: W4, SCR.dm.sex: M}],\n'
        '     fail: [{sbp: "80", dbp: "80"},\n'
        '            {sbp: "120", dbp: "80", visit: W4, SCR.dm.sex: F}]',
    )  # fmt: skip
    assert tiny.findings() == []


def test_every_check_of_the_main_trial_has_cases_that_hold(study):
    checks = [check for form in study.forms.values() for check in form.checks]
    assert len(checks) > 200
    assert [check.id for check in checks if not (check.pass_ and check.fail)] == []
