"""Approval by two people, what is in force, and any version back by its fingerprint."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, text, update

from ecrf.kernel import chain
from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable, Unavailable
from ecrf.kernel.ledger import LEDGER, SYSTEM, study_chain
from ecrf.kernel.people import Site
from ecrf.study import at_sites, versions
from ecrf.study.canonical import fingerprint
from ecrf.study.tables import ProtocolVersion, StudyRow
from tests import people


def _manager(actor):
    return Actor(actor.id, actor.name, frozenset({Grant("tiny", Role.DATA_MANAGER)}))


FIRST, SECOND = _manager(people.DORA), _manager(people.DIRK)
DAY = people.NOON.date()


@pytest.fixture
def definition(tiny):
    return tiny.read().study


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Nothing is known from an earlier test."""
    monkeypatch.setattr(versions, "_KNOWN", {})


def _approve(database, by, study, *actors):
    for actor in actors:
        with database.write() as session:
            approval = versions.approve(session, by(actor), study)
    return approval


def _acts(database, name):
    with database.read() as session:
        return [json.loads(row[3]) for row in LEDGER.acts(session, chain_name=name)]


def test_the_first_approval_puts_nothing_in_force(database, by, definition):
    approval = _approve(database, by, definition, FIRST)
    assert approval == (fingerprint(definition), False, True)
    with database.read() as session:
        assert session.scalars(select(StudyRow.id)).all() == []
        assert session.scalars(select(Site.code)).all() == []
        with pytest.raises(NotFound):
            versions.in_force(session, "tiny")


def test_the_second_person_puts_it_in_force_with_its_sites(database, by, definition):
    approval = _approve(database, by, definition, FIRST, SECOND)
    assert approval == (fingerprint(definition), True, True)
    with database.read() as session:
        found, print_ = versions.in_force(session, "tiny")
        sites = session.execute(
            select(Site.code, Site.name_zh, Site.zone, Site.open).order_by(Site.code)
        ).all()
        row = session.execute(select(ProtocolVersion)).scalar_one()
        assert (row.first_by, row.second_by, row.version) == (FIRST.id, SECOND.id, "1")
    assert found == definition
    assert print_ == approval.fingerprint
    assert sites == [
        ("AAA", "甲医院", "Asia/Shanghai", True),
        ("BBB", "乙医院", "Asia/Urumqi", True),
    ]


def test_both_approvals_are_acts_of_the_study_s_chain_which_the_system_announces(
    database, by, definition
):
    _approve(database, by, definition, FIRST, SECOND)
    acts = _acts(database, study_chain("tiny"))
    assert [(act["action"], act["actor"], act["seq"]) for act in acts] == [
        ("study:approve", FIRST.id, 0),
        ("study:put in force", SECOND.id, 1),
    ]
    assert acts[0]["refs"]["fingerprint"] == fingerprint(definition)
    last = _acts(database, SYSTEM)[-1]
    assert (last["action"], last["refs"]["chain"]) == ("study:announce", study_chain("tiny"))


def test_the_chain_of_the_study_begins_at_the_genesis(database, by, definition):
    _approve(database, by, definition, FIRST)
    with database.read() as session:
        [row] = LEDGER.acts(session, chain_name=study_chain("tiny"))
    assert row[5] == chain.follow(chain.GENESIS, row[3])


def test_the_same_person_cannot_approve_twice(database, by, definition):
    _approve(database, by, definition, FIRST)
    with pytest.raises(Conflict, match="a second, different person"):
        _approve(database, by, definition, FIRST)
    assert len(_acts(database, study_chain("tiny"))) == 1


def test_a_third_approval_is_refused(database, by, definition):
    _approve(database, by, definition, FIRST, SECOND)
    with pytest.raises(Conflict, match="by two people already"):
        _approve(database, by, definition, FIRST)


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.PHARMACIST, Role.ADMINISTRATOR])
def test_without_the_right_nobody_approves(database, by, definition, role):
    actor = Actor(people.DORA.id, "Dora", frozenset({Grant("tiny", role)}))
    with pytest.raises(NotAllowed):
        _approve(database, by, definition, actor)


def test_the_right_in_another_study_does_not_count(database, by, definition):
    with pytest.raises(NotAllowed):
        _approve(database, by, definition, people.DORA)


def test_a_definition_with_errors_is_refused_with_every_error(database, by, definition):
    spoilt = definition.model_copy(
        update={"sites": (*definition.sites, definition.sites[0]), "matrix": ()}
    )
    with pytest.raises(Unacceptable) as refusal:
        _approve(database, by, spoilt, FIRST)
    told = [str(problem.message) for problem in refusal.value.problems]
    assert "AAA is here twice." in told
    assert len(told) > 1
    with database.read() as session:
        assert session.scalars(select(ProtocolVersion.fingerprint)).all() == []


def test_a_new_version_replaces_the_old_one_and_keeps_the_sites(database, by, tiny):
    old = tiny.read().study
    _approve(database, by, old, FIRST, SECOND)
    with database.write() as session:
        session.execute(update(Site).where(Site.code == "AAA").values(enrolled=7))
    tiny.change("tiny/study.yaml", 'version: "1"', 'version: "2"')
    tiny.change("tiny/study.yaml", "zh: 甲医院", "zh: 甲总医院")
    tiny.change(
        "tiny/study.yaml",
        "  - {code: BBB",
        "  - {code: CCC, name: {en: C, zh: 丙}}\n  - {code: BBB",
    )
    new = tiny.read().study
    _approve(database, by, new, SECOND, FIRST)
    with database.read() as session:
        assert versions.in_force(session, "tiny") == (new, fingerprint(new))
        assert versions.model(session, fingerprint(old)) == old
        sites = session.execute(
            select(Site.code, Site.name_zh, Site.enrolled).order_by(Site.code)
        ).all()
        today = [at_sites.at(session, "tiny", code, DAY) for code in ("AAA", "BBB", "CCC")]
    assert today == [fingerprint(old), fingerprint(old), fingerprint(new)]
    assert sites == [("AAA", "甲总医院", 7), ("BBB", "乙医院", 0), ("CCC", "丙", 0)]
    last = _acts(database, study_chain("tiny"))[-1]
    assert last["refs"]["version"] == "2"


def test_one_version_label_means_one_definition(database, by, tiny):
    _approve(database, by, tiny.read().study, FIRST, SECOND)
    tiny.change("tiny/schedule.yaml", "after: 7", "after: 8")
    with pytest.raises(Conflict, match="a version of its own"):
        _approve(database, by, tiny.read().study, FIRST)


def test_a_locked_study_keeps_its_definition(database, by, tiny):
    _approve(database, by, tiny.read().study, FIRST, SECOND)
    with database.write() as session:
        session.execute(update(StudyRow).values(state="locked"))
    tiny.change("tiny/study.yaml", 'version: "1"', 'version: "2"')
    with pytest.raises(Conflict, match="tiny is locked"):
        _approve(database, by, tiny.read().study, FIRST)


def test_a_version_is_read_from_the_database_once(database, by, definition, statements):
    _approve(database, by, definition, FIRST, SECOND)
    with database.read() as session, statements(database) as sent:
        first = versions.model(session, fingerprint(definition))
        assert len(sent) == 1
        assert versions.model(session, fingerprint(definition)) is first
        assert len(sent) == 1


def test_no_more_versions_are_kept_in_memory_than_needed(database, by, tiny, monkeypatch):
    monkeypatch.setattr(versions, "KEPT", 2)
    prints = []
    for number in range(3):
        text_ = (tiny.study / "study.yaml").read_text(encoding="utf-8")
        tiny.write("tiny/study.yaml", text_.replace("planned: 10", f"planned: 10{number}"))
        study = tiny.read().study
        tiny.write("tiny/study.yaml", text_)
        _approve(database, by, study, FIRST)
        prints.append(fingerprint(study))
    with database.read() as session:
        for print_ in prints:
            versions.model(session, print_)
    assert list(versions._KNOWN) == prints[1:]


def test_a_definition_altered_in_the_database_is_noticed(database, by, definition):
    _approve(database, by, definition, FIRST)
    with database.write() as session:
        session.execute(
            text("UPDATE protocol_version SET content = replace(content, '300', '301')")
        )
    with database.read() as session, pytest.raises(Unavailable, match="was altered"):
        versions.model(session, fingerprint(definition))


def test_an_unknown_fingerprint_is_not_found(database):
    with database.read() as session, pytest.raises(NotFound):
        versions.model(session, "0" * 64)


@pytest.mark.race
def test_two_people_approving_at_once_never_break_the_chain(database, by, definition):
    start = Barrier(2)

    def approve(actor):
        start.wait()
        try:
            return _approve(database, by, definition, actor)
        except Conflict as refusal:
            return refusal

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(approve, (FIRST, SECOND)))
    done = [outcome for outcome in outcomes if isinstance(outcome, versions.Approval)]
    acts = _acts(database, study_chain("tiny"))
    assert sorted(outcome.in_force for outcome in done) in ([False], [False, True])
    assert [act["seq"] for act in acts] == list(range(len(done)))
