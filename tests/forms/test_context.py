"""What the names in a form's expressions mean."""

from datetime import date
from decimal import Decimal

from ecrf.study.expr import Days, evaluate, parse
from forms.answers import Answer
from forms.context import Context, Entered, scope
from tests.forms.definition import DM, LBC, RELF, VS, form, item, ri, study

STUDY = study()
RI = STUDY.forms["ri"]
FREE = form("free", item("note", "text"))
BASELINE = Context(
    visit="BL", visit_key="BL", visit_date=date(2026, 3, 5), order=1, site="PUMCH"
)


def typed(**values):
    return {key.replace("__", "."): Answer(text, "", text) for key, text in values.items()}


def entered(form, visit, order, number=1, key=None, on=None, **values):
    return Entered(visit, key or visit, order, form, number, typed(**values), on)


def of(text, *entries, form=FREE, answers=None, at=BASELINE):
    known = Context(**{**{f: getattr(at, f) for f in at.__slots__}, "entries": entries})
    here = study(*STUDY.forms.values(), FREE)
    return evaluate(parse(text), scope(here, form, answers or {}, known))


def test_plain_names_are_about_the_visit():
    assert of("visit") == "BL"
    assert of("site") == "PUMCH"
    assert of("visit_date") == Days.on(date(2026, 3, 5))
    assert of("randomized_on") is None
    assert of("param.limit + 1") == 31
    assert of("param.other") is None
    assert of("nothing") is None


def test_a_name_is_an_item_of_the_form_first():
    assert of("sbp - dbp", form=VS, answers=typed(sbp="120", dbp="80")) == 40


def test_form_item_is_read_at_the_same_visit_only():
    lab = entered("lbc", "BL", 1, creat="80")
    other = entered("lbc", "SCR", 0, creat="90")
    assert of("lbc.creat", other, lab) == 80
    assert of("lbc.creat", other) is None


def test_a_visit_names_its_own_entry():
    assert of("SCR.dm.sex", entered("dm", "SCR", 0, sex="F")) == "F"
    assert of("SCR.dm.sex", entered("dm", "BL", 1, sex="F")) is None


def test_the_latest_is_the_newest_at_this_visit_or_before():
    entries = [
        entered("lbc", v, n, creat=str(80 + n)) for n, v in enumerate(("SCR", "BL", "W4"))
    ]
    assert of("latest.lbc.creat", *entries) == 81
    assert of("latest.lbc.creat", entries[0], entries[2]) == 80
    assert of("latest.lbc.creat", entries[2]) is None


def test_the_previous_is_strictly_before_this_visit():
    entries = [
        entered("lbc", v, n, creat=str(80 + n)) for n, v in enumerate(("SCR", "BL", "W4"))
    ]
    assert of("previous.lbc.creat", *entries) == 80
    assert of("previous.lbc.creat", *entries[1:]) is None


def test_an_entry_without_answers_does_not_hide_an_older_one():
    assert (
        of("latest.lbc.creat", entered("lbc", "SCR", 0, creat="80"), entered("lbc", "BL", 1))
        == 80
    )


def test_repeated_visits_have_their_own_order():
    first = entered("vs", "UNS", 5, key="UNS-1", sbp="120")
    second = entered("vs", "UNS", 7, key="UNS-2", sbp="130")
    late = Context(visit="W4", visit_key="W4", order=8)
    assert of("latest.vs.sbp", first, second, at=late) == 130
    assert of("previous.vs.sbp", second, first, at=late) == 130


def test_the_form_itself_counts_as_the_latest_but_not_as_the_previous():
    earlier = entered("vs", "SCR", 0, sbp="120")
    mine = typed(sbp="150")
    assert of("latest.vs.sbp", earlier, form=VS, answers=mine) == 150
    assert of("previous.vs.sbp", earlier, form=VS, answers=mine) == 120
    assert of("BL.vs.sbp", earlier, form=VS, answers=mine) == 150


def test_every_entry_of_a_repeating_form_can_be_counted():
    entries = [
        entered("relf", "LOG", 0, number=n, key="LOG", opinion=str(n)) for n in (1, 2, 3)
    ]
    assert of("count(r.opinion >= 2 for r in all.relf)", *entries) == 2
    assert of("max(r.opinion for r in all.relf)", *entries) == 3
    assert of("count(True for r in all.relf)") == 0
    assert of("count('AIP' in r.organ for r in all.relf)", *entries) is None


def test_a_repeating_form_counts_itself_among_all():
    at = Context(visit="LOG", visit_key="LOG", number=2)
    entries = [entered("relf", "LOG", 0, number=n, key="LOG", opinion="1") for n in (1, 2)]
    count = of(
        "sum(r.opinion for r in all.relf)",
        *entries,
        form=RELF,
        answers=typed(opinion="3"),
        at=at,
    )
    assert count == 4


def test_a_grid_is_read_here_and_elsewhere():
    answers = {
        f"{row.id}.{column}": Answer(text, "", text)
        for row in RI.grids["organs"].rows
        for column, text in (("score", "1"), ("urgent", "N"), ("damage", "Y"))
    }
    there = Entered("SCR", "SCR", 0, "ri", 1, answers)
    at_screening = Context(visit="SCR", visit_key="SCR")
    assert of("count(row.score >= 1 for row in organs)", form=RI, answers=answers) == 5
    assert of("count(r.score >= 1 for r in SCR.ri.organs)", there) == 5
    assert of("count(r.score >= 1 for r in latest.ri.organs)", there) == 5
    assert of("count(r.score >= 1 for r in previous.ri.organs)", there) == 5
    assert of("count(r.score >= 1 for r in ri.organs)", there, at=at_screening) == 5
    assert of("count(r.damage == 'Y' for r in SCR.ri.organs)", there) == 4
    assert of("SCR.ri.PANCREAS.score", there) == "1"
    assert of("count(r.score >= 1 for r in ri.organs)", there) is None


def test_a_place_the_grid_does_not_have_is_the_empty_text():
    assert of("CONST.damage == 'Y'", form=RI) is False
    assert of("PANCREAS.damage == 'Y'", form=RI) is None


def test_computed_items_depend_on_one_another_in_any_order():
    answers = typed(smoker="Y", packs="30")
    assert of("many", form=VS, answers=answers) == "Y"
    assert of("heavy", form=VS, answers=answers) == "Y"


def test_what_depends_on_itself_is_unknown():
    circle = form(
        "circle",
        item("a", "integer", derive="b + 1"),
        item("b", "integer", derive="a + 1"),
        item("c", "integer", show="c > 1"),
    )
    sheet = scope(study(circle), circle, typed(c="5"), BASELINE)
    assert [sheet.value(name) for name in "abc"] == [None, None, None]


def test_a_long_chain_of_computed_items_is_worked_out():
    chain = form(
        "chain",
        item("a0", "integer"),
        *(item(f"a{n}", "integer", derive=f"a{n - 1} + 1") for n in range(1, 60)),
    )
    assert scope(study(chain), chain, typed(a0="1"), BASELINE).value("a59") == 60


def test_an_answer_that_does_not_apply_reads_as_blank():
    assert of("blank(packs)", form=VS, answers=typed(smoker="N", packs="5")) is True
    assert of("packs", form=VS, answers=typed(smoker="Y", packs="5")) == 5
    kept = entered("vs", "SCR", 0, smoker="N", packs="5")
    assert of("blank(SCR.vs.packs)", kept) is True
    assert of("SCR.vs.packs", entered("vs", "SCR", 0, smoker="Y", packs="5")) == 5


def test_what_applies_elsewhere_is_asked_in_the_other_entry():
    there = entered("vs", "SCR", 0, height="180")
    assert of("SCR.vs.height", there) == 180
    assert of("BL.vs.height", entered("vs", "BL", 1, height="180")) is None


def test_stored_computed_values_of_other_entries_stand():
    there = entered("ri", "SCR", 0, ri_total="7")
    assert of("previous.ri.ri_total", there) == 7


def test_forms_that_ask_each_other_what_applies_come_to_an_end():
    one = form("one", item("a", "integer", show="two.b > 0"))
    two = form("two", item("b", "integer", show="one.a > 0"))
    here = study(one, two)
    other = Entered("BL", "BL", 1, "two", 1, typed(b="1"))
    known = Context(visit="BL", visit_key="BL", order=1, entries=(other,))
    assert scope(here, one, typed(a="1"), known).value("a") in (None, Decimal(1))


def test_an_override_stands_for_a_path():
    at = Context(visit="BL", visit_key="BL", overrides={"SCR.dm.sex": "M", "sbp": Decimal(5)})
    sheet = scope(STUDY, VS, typed(sbp="120"), at)
    assert sheet.value("SCR.dm.sex") == "M"
    assert sheet.value("sbp") == 5


def test_a_grid_elsewhere_may_be_known_by_overrides_alone():
    at = Context(overrides={"SCR.ri.PANCREAS.score": "2", "SCR.ri.LN.score": "0"})
    counted = evaluate(
        parse("count(r.score >= 1 for r in SCR.ri.organs if given(r.score))"),
        scope(STUDY, LBC, {}, at),
    )
    assert counted == 1


def test_an_entry_of_a_form_the_study_does_not_have_is_not_looked_at():
    lost = entered("lost", "SCR", 0, a="1")
    assert of("latest.lost.a", lost) is None
    assert of("count(True for r in all.lost)", lost) == 0
    assert of("SCR.dm.sex.more", entered("dm", "SCR", 0, sex="F")) is None


def test_an_age_is_known_when_a_partial_birth_date_makes_it_certain():
    assert of("age", form=DM, answers=typed(birth="1980-02")) == 46
    assert of("age", form=DM, answers=typed(birth="1980-03")) is None


def test_a_large_grid_has_no_rows_it_does_not_name():
    rows = scope(STUDY, ri(("A", "B")), {}, BASELINE).rows("organs")
    assert len(rows) == 3
    assert list(rows[0]) == ["score", "urgent", "damage", "weight", "location"]
