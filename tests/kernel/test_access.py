import itertools

from ecrf.kernel.access import (
    BLINDED,
    COMMITTEE,
    INSIDERS,
    RIGHTS,
    TITLES,
    UNBLINDED,
    Actor,
    Grant,
    Right,
    Role,
    conflict,
)

STUDY = "trial"


def actor(*grants):
    return Actor(1, "Anna", frozenset(grants))


def test_every_right_is_held_by_someone_and_listed_in_order():
    assert set(Right) == frozenset().union(*RIGHTS.values())
    assert list(Right) == sorted(Right)
    assert set(RIGHTS) == set(Role) == set(TITLES)


def test_no_role_is_on_both_sides_of_the_blind():
    assert not BLINDED & UNBLINDED
    assert Role.PHARMACIST in UNBLINDED


def test_whoever_sees_treatment_sees_no_entry_and_the_other_way_round():
    for role in Role:
        assert not {Right.TREATMENT_READ, Right.ENTRY_READ} <= RIGHTS[role]


def test_two_roles_conflict_exactly_when_they_are_on_different_sides():
    for one, other in itertools.combinations(Role, 2):
        blind = (one in BLINDED) != (other in BLINDED)
        judging = (one in COMMITTEE) != (other in COMMITTEE) and bool({one, other} & INSIDERS)
        assert conflict([one, other]) == (blind or judging)


def test_whoever_judges_events_holds_no_role_that_reads_entries_or_treatments():
    assert {Role.ADJUDICATOR, Role.CHAIR} == COMMITTEE
    for role in (Role.INVESTIGATOR, Role.COORDINATOR, Role.PHARMACIST, Role.DATA_MANAGER):
        assert conflict([Role.ADJUDICATOR, role])
    assert not conflict([Role.ADJUDICATOR, Role.CHAIR, Role.ADMINISTRATOR])


def test_a_grant_ends_at_its_site_and_its_study():
    anna = actor(Grant(STUDY, Role.INVESTIGATOR, "PUMCH"))
    assert anna.may(Right.ENTRY_WRITE, STUDY, "PUMCH")
    assert not anna.may(Right.ENTRY_WRITE, STUDY, "BFH")
    assert not anna.may(Right.ENTRY_WRITE, "another", "PUMCH")
    assert not anna.may(Right.TREATMENT_READ, STUDY, "PUMCH")
    assert anna.sites(Right.ENTRY_WRITE, STUDY) == {"PUMCH"}


def test_a_grant_without_a_site_covers_every_site():
    dora = actor(Grant(STUDY, Role.DATA_MANAGER))
    assert dora.may(Right.ENTRY_READ, STUDY, "BFH")
    assert dora.sites(Right.ENTRY_READ, STUDY) is None
    assert dora.sites(Right.KIT_DISPENSE, STUDY) == frozenset()


def test_an_administrator_cannot_touch_the_data_of_the_trial():
    held = RIGHTS[Role.ADMINISTRATOR]
    assert not held & {Right.ENTRY_READ, Right.ENTRY_WRITE, Right.ENTRY_SIGN, Right.DATA_LOCK}


def test_monitor_and_auditor_change_no_entry():
    for role in (Role.MONITOR, Role.AUDITOR):
        assert not RIGHTS[role] & {Right.ENTRY_WRITE, Right.ENTRY_SIGN, Right.PARTICIPANT_ENROL}
