from ecrf.study.reviewing import Extents, Rule, Verification
from forms.review import plan
from forms.review.plan import Drawn, Stand
from tests.forms.trial import TRIAL

VS, GR = TRIAL.forms["vs"], TRIAL.forms["gr"]
SOME = Extents(items="all", otherwise="critical", sample=20, first=2)
STUDY = TRIAL.model_copy(
    update={
        "verification": Verification(critical={"vs": ("sbp", "dbp"), "gr": ("organs.score",)})
    }
)


def test_whatever_somebody_enters_has_a_source_and_what_is_computed_has_none():
    assert "sbp" in plan.verifiable(VS)
    assert "gain" not in plan.verifiable(VS)
    assert plan.verifiable(GR) == {
        "LUNG.score", "LUNG.urgent", "SKIN.score", "SKIN.urgent", "CONST.score",
    }  # fmt: skip


def test_inside_the_sample_all_is_verified_and_outside_it_what_is_critical():
    assert plan.wanted(STUDY, VS, SOME, Drawn(number=9, lot=19)) == plan.verifiable(VS)
    assert plan.wanted(STUDY, VS, SOME, Drawn(number=9, lot=20)) == {"sbp", "dbp"}
    assert plan.wanted(STUDY, GR, SOME, Drawn(number=9, lot=20)) == {
        "LUNG.score", "SKIN.score", "CONST.score",
    }  # fmt: skip


def test_the_first_participants_of_a_site_are_always_in_the_sample():
    assert plan.wanted(STUDY, VS, SOME, Drawn(number=2, lot=99)) == plan.verifiable(VS)
    assert plan.wanted(STUDY, VS, SOME, Drawn(number=3, lot=99)) == {"sbp", "dbp"}


def test_the_first_rule_that_fits_counts_and_a_site_s_own_comes_before_all():
    nothing, half = Extents(items="none", otherwise="none"), Extents(sample=50)
    rules = (Rule(form="vs", visit="W4", items="none"), Rule(form="vs", items="critical"))
    written = Verification(default=half, rules=rules)
    assert plan.extents(written, {}, "vs", "W4").items == "none"
    assert plan.extents(written, {}, "vs", "BL").items == "critical"
    assert plan.extents(written, {}, "gr", "BL") == half
    assert plan.extents(written, {"": nothing}, "vs", "BL") == nothing
    assert plan.extents(written, {"": nothing, "vs": half}, "vs", "BL") == half


def test_the_lot_is_the_same_for_ever_and_spread_evenly():
    lots = [plan.lot(f"{n:064x}") for n in range(4000)]
    assert lots == [plan.lot(f"{n:064x}") for n in range(4000)]
    assert 700 < sum(lot < 20 for lot in lots) < 900
    assert (min(lots), max(lots)) == (0, 99)


def test_what_is_wanted_and_answered_is_due_and_a_change_makes_it_due_again():
    def stand(verified):
        return plan.tally({"sbp", "dbp", "pain"}, {"sbp", "dbp", "taken"}, verified)

    assert stand(None).due == {"sbp", "dbp"}
    assert stand(None).stand is Stand.OPEN
    assert stand({"sbp": 1}).stand is Stand.PARTLY
    assert stand({"sbp": 1, "dbp": 3}).stand is Stand.VERIFIED
    assert stand({"sbp": 1, "dbp": 0}).stand is Stand.CHANGED
    assert stand({"sbp": 1, "dbp": 0}).remaining == {"dbp"}
    assert stand({"sbp": 1, "dbp": 1, "pain": 0}).remaining == {"pain"}
    assert plan.tally((), {"sbp"}, None).stand is Stand.NOTHING
