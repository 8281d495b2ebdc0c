"""Double entry in the browser: unseen by each other, compared, settled by a third."""

import pytest

from tests import people
from tests.forms.double.conftest import desk  # noqa: F401 (a fixture)

FORM = "/nct05974683/participants/PUMCH-001/visits/BL/vs"
PAIR = f"{FORM}/1/double"


@pytest.mark.req("F5")
def test_a_form_is_entered_twice_unseen_and_settled_on_a_page(visitor, desk):  # noqa: F811
    """F5: nothing of the first entry is on any page of the second person before both are in."""
    carl, anna, dora = (visitor(who) for who in (people.CARL, people.ANNA, people.DORA))
    assert carl.get(FORM).headers["Location"] == PAIR
    assert carl.post(f"{FORM}/1", {"sbp": "137", "seen_version": "0"}).status_code == 409
    first = {"sbp": "137", "dbp": "80", "remark": "grey paper", "seen_version": "0"}
    refused = carl.post(PAIR, {**first, "taken": "yesterday evening", "act": "complete"})
    assert refused.status_code == 422
    assert "grey paper" in refused.text
    assert carl.post(PAIR, {**first, "act": "complete"}).status_code == 303
    assert "waits for the second" in carl.get(PAIR).text
    for page in (PAIR, "/nct05974683/ledger", "/nct05974683/double", f"{FORM}/1/history"):
        seen = anna.get(page, follow_redirects=True).text
        assert "137" not in seen
        assert "grey paper" not in seen
    assert "the second entry" in anna.get("/nct05974683/double").text
    second = {"sbp": "173", "dbp": "80", "remark": "grey paper", "seen_version": "0"}
    assert anna.post(PAIR, {**second, "act": "complete"}).status_code == 303
    assert "A third person settles" in anna.get(PAIR).text
    page = dora.get(PAIR).text
    assert "Carl Wu: 137" in page
    assert "Anna Li: 173" in page
    assert dora.post(f"{PAIR}/settle", {"reason": "paper"}).status_code == 422
    wrong = {"take:sbp": "other", "sbp": "a lot", "reason": "paper"}
    assert "a lot" in dora.post(f"{PAIR}/settle", wrong).text
    chosen = {"take:sbp": "other", "sbp": "133", "reason": "paper"}
    assert dora.post(f"{PAIR}/settle", chosen).status_code == 303
    shown = dora.get(FORM).text
    assert "133" in shown
    assert "The two entries" in shown
    assert "133" in anna.get(PAIR).text


def test_a_form_entered_twice_can_be_marked_as_not_done_and_entered_after_all(
    visitor,
    desk,  # noqa: F811
):
    carl, anna = visitor(people.CARL), visitor(people.ANNA)
    assert "The whole form was not done" in carl.get(PAIR).text
    done = carl.post(f"{FORM}/1/not-done", {"not_done_reason": "machine broken"})
    assert done.status_code == 303
    assert "enter it twice" in carl.get(PAIR).text
    for who in (carl, anna):
        sent = who.post(PAIR, {"sbp": "120", "seen_version": "0", "act": "complete"})
        assert sent.status_code == 303
    assert desk.entry().status == "complete"
