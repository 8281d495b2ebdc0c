"""Following only what reads a change gives the same as planning every entry anew."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from forms.answers import Given
from forms.context import Context
from forms.following.dependants import touched
from forms.following.settling import settle
from forms.following.standing import Standing
from forms.plan import plan
from tests.forms.trial import FINGERPRINT, TRIAL

VISITS = ("SCR", "BL", "W4")
KEYS = ("weight", "sbp", "dbp", "pregnant")
TEXTS = {"weight": ("50", "61.5", "88"), "sbp": ("100", "190"), "dbp": ("90",),
         "pregnant": ("Y", "N")}  # fmt: skip


def standing(number, visit, form, answers):
    definition = TRIAL.forms[form]
    context = Context(visit=visit, visit_key=visit, order=VISITS.index(visit))
    return Standing(
        number, number, TRIAL, definition, 1, context, FINGERPRINT, "complete", False, 1,
        answers, answers, {}, None,
    )  # fmt: skip


def settled(entries):
    now = {o.entry.id: o.decided.answers for o in settle(entries, None)}
    return [replace(e, answers=now[e.id], was=now[e.id]) for e in entries]


answers_of_a_form = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(TEXTS[key]) for key in KEYS}
)
worlds = st.tuples(st.sampled_from("FM"), *[answers_of_a_form] * len(VISITS))


def world(drawn):
    sex, *visits = drawn
    dm = plan(TRIAL, TRIAL.forms["dm"], {}, {"sex": Given(sex)}, Context(visit="SCR"))
    entries = [standing(9, "SCR", "dm", dm.answers)]
    for number, (visit, texts) in enumerate(zip(VISITS, visits, strict=True)):
        typed = {key: Given(text) for key, text in texts.items()}
        decided = plan(TRIAL, TRIAL.forms["vs"], {}, typed, Context(visit=visit))
        entries.append(standing(number, visit, "vs", decided.answers))
    return settled(entries)


@settings(max_examples=60, deadline=None)
@given(worlds, st.sampled_from(VISITS), answers_of_a_form)
def test_following_a_change_leaves_nothing_that_planning_everything_would_change(
    drawn, visit, texts
):
    entries = world(drawn)
    changed = next(e for e in entries if e.form.id == "vs" and e.context.visit == visit)
    others = [other.entered(other.answers) for other in entries if other is not changed]
    decided = plan(
        TRIAL, changed.form, changed.answers, {key: Given(text) for key, text in texts.items()},
        replace(changed.context, entries=others),
    )  # fmt: skip
    begun = bool(changed.answers) == bool(decided.answers)
    forms = touched(
        TRIAL, FINGERPRINT, "vs", [edit.key for edit in decided.edits] if begun else None
    )
    after = [replace(e, answers=decided.answers) if e is changed else e for e in entries]
    followed = {o.entry.id: o.decided.answers for o in settle(after, forms)}
    after = [replace(e, answers=followed.get(e.id, e.answers)) for e in after]
    everything = settle(after, None)
    assert [o.edits for o in everything if o.edits] == []


def test_a_chain_of_dependants_is_followed_to_its_end():
    entries = world(("F", {"weight": "50"}, {"weight": "61.5"}, {"weight": "88"}))
    first = next(e for e in entries if e.context.visit == "SCR" and e.form.id == "vs")
    weighed = plan(TRIAL, first.form, first.answers, {"weight": Given("60")}, first.context)
    after = [replace(e, answers=weighed.answers) if e is first else e for e in entries]
    gains = {
        o.entry.context.visit: o.decided.answers["gain"].value for o in settle(after, {"vs"})
    }
    assert gains == {"SCR": "0.0", "BL": "1.5", "W4": "28.0"}
