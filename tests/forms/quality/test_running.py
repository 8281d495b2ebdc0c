"""Rules of data quality: the nine built in, own ones, what is set aside, who sees what."""

import pytest
from sqlalchemy import update

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.errors import NotAllowed, NotFound, Unacceptable
from forms.answers import Given
from forms.quality import own, running
from forms.quality.own import Wanted
from forms.quality.rules import outliers
from forms.tables import Entry
from tests import people
from tests.forms.trial import TRIAL

RULE = Wanted("DQ01", "vs", "sbp", "sbp > 150 and blank(dbp)", "No diastolic pressure")


@pytest.fixture
def odd(desk):
    """Entries in which each rule but E finds something, past the door where it has to be."""
    desk.save({"sbp": "200", "dbp": Given("", missing="ND"), "weight": Given("60", "kg")},
              visit="SCR", complete=True)  # fmt: skip
    desk.save({"weight": Given("61", "kg")}, visit="BL", complete=True)
    desk.save({"sbp": "120"}, visit="BL", actor=people.BO, code="BFH-001")
    with desk.database.write() as session:
        document = dict(session.get(Entry, 2).answers)
        document |= {
            "gain": {"text": "9", "value": "9"}, "position": {"text": "X", "value": "X"},
            "taken": {"text": "soon", "value": "soon"}, "pregnant": {"text": "Y", "value": "Y"},
        }  # fmt: skip
        session.execute(update(Entry).where(Entry.id == 2).values(answers=document))
    return desk


def found(desk, actor=people.DORA, rules=(), **options):
    with desk.database.read() as session:
        listed = list(running.run(session, actor, people.STUDY, rules, **options))
    return {(d.rule, d.participant, d.visit, d.item) for d in listed}


@pytest.mark.req("Q1")
def test_each_built_in_rule_finds_what_it_looks_for(odd):
    """Q1."""
    everything = found(odd)
    assert everything >= {
        ("A", "PUMCH-001", "BL", "dbp"), ("B", "PUMCH-001", "BL", "sbp"),
        ("C", "PUMCH-001", "BL", "taken"), ("D", "PUMCH-001", "SCR", "sbp"),
        ("F", "PUMCH-001", "BL", "pregnant"), ("G", "PUMCH-001", "BL", "position"),
        ("H", "PUMCH-001", "BL", "gain"), ("I", "PUMCH-001", "SCR", "dbp"),
    }  # fmt: skip
    assert {rule for rule, *_ in found(odd, rules=["H"])} == {"H"}


@pytest.mark.req("Q1")
def test_an_outlier_is_far_from_at_least_eight_values_of_its_item():
    """Q1, rule E."""
    near = [("vs", "sbp", n) for n in [*range(115, 130), 400]]
    assert outliers(near)("vs", "sbp", 400)
    assert not outliers(near)("vs", "sbp", 120)
    assert not outliers(near[-7:])("vs", "sbp", 400)


@pytest.mark.req("Q2")
def test_own_rules_are_made_by_name_changed_taken_from_a_file_and_retired(odd):
    """Q2."""
    by = odd.by(people.DORA)
    with odd.database.write() as session:
        own.put(session, by, TRIAL, RULE)
        with pytest.raises(Unacceptable) as wrong:
            own.put(session, by, TRIAL, Wanted("DQ02", "vs", "sbq", "sbpp > 1", "?"))
        assert [p.item for p in wrong.value.problems] == ["item", "when"]
        with pytest.raises(NotAllowed):
            own.put(session, odd.by(people.MONA), TRIAL, RULE)
        file = (
            "code,form,item,when,text\nDQ01,vs,sbp,sbp > 150,High\nDQ03,gr,LUNG.score,1 == 1,x"
        )
        with pytest.raises(Unacceptable, match="1 line"):
            own.put_file(session, by, TRIAL, file + "\nDQ04,vs,none,1 == 1,x")
        assert own.put_file(session, by, TRIAL, file) == 2
        assert [(r.code, r.version) for r in own.listing(session, people.STUDY)] == [
            ("DQ01", 2), ("DQ03", 1),
        ]  # fmt: skip
    assert found(odd, rules=["DQ01"]) == {("DQ01", "PUMCH-001", "SCR", "sbp")}
    with odd.database.write() as session:
        own.retire(session, by, people.STUDY, "DQ01")
    assert found(odd, rules=["DQ01"]) == set()


@pytest.mark.req("Q3")
def test_what_is_set_aside_stays_aside_until_it_is_taken_back(odd):
    """Q3."""
    place = (people.STUDY, 1, "sbp", "D")
    with odd.database.write() as session:
        running.exclude(session, odd.by(people.DORA), *place, "Measured three times")
    assert found(odd, rules=["D"]) == set()
    assert found(odd, rules=["D"], all_too=True) == {("D", "PUMCH-001", "SCR", "sbp")}
    with odd.database.write() as session:
        running.include(session, odd.by(people.DORA), *place)
    assert found(odd, rules=["D"]) == {("D", "PUMCH-001", "SCR", "sbp")}


@pytest.mark.req("Q4")
def test_a_check_of_the_study_runs_at_the_save_itself(desk):
    """Q4."""
    saved = desk.save({"sbp": "80", "dbp": "90"}, complete=True)
    assert {f.rule for f in saved.plan.findings} >= {"VS01", "soft_limit"}
    assert saved.opened == 2


@pytest.mark.req("Q5")
def test_a_person_sees_discrepancies_of_their_own_sites_only(odd):
    """Q5."""
    near = Actor(5, "Mona", frozenset({Grant(people.STUDY, Role.MONITOR, "BFH")}))
    assert {code for _, code, *_ in found(odd, actor=near)} == {"BFH-001"}
    nobody = Actor(2, "Carl", frozenset({Grant(people.STUDY, Role.COORDINATOR, "BFH")}))
    assert found(odd, actor=nobody) == set()
    with pytest.raises(NotFound), odd.database.write() as session:
        running.exclude(session, odd.by(near), people.STUDY, 1, "sbp", "D", "Right")
