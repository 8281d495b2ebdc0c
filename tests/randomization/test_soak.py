"""A short soak (`make soak` is the long one): processes killed at any point lose nothing."""

import pytest

from bench import soak

pytestmark = pytest.mark.race


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_killed_at_any_point_leave_no_gap_and_no_double(kind):
    kills, _ = soak.soak(kind, processes=2, each=14, rate=0.15)
    assert kills > 0


def test_two_answers_to_one_participant_end_the_run(tmp_path):
    (tmp_path / "heard-0.jsonl").write_text('[1, "a", []]\n[1, "b", []]\n')
    with pytest.raises(SystemExit, match="told two things"):
        soak.heard(tmp_path, 0)
