"""Every rule of a study, written or generated, has an id and a version."""

from click.testing import CliRunner

from ecrf.cli import main
from ecrf.study.rules import rules


def test_every_rule_has_an_id_of_its_own_a_version_and_both_languages(study):
    found = list(rules(study))
    assert len({rule.id for rule in found}) == len(found)
    assert all(rule.version and rule.message.in_("zh") for rule in found)
    ids = {rule.id for rule in found}
    assert {"VS01", "vs.sbp.hard_limit", "vs.sbp.soft_limit", "vs.sbp.required"} <= ids


def test_the_command_lists_them():
    run = CliRunner().invoke(main, ["study", "checks", "nct05974683"])
    assert run.exit_code == 0
    assert "VS01  1  hard  Systolic pressure must be higher" in run.output
