import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ecrf.kernel.access import Right
from ecrf.web.routes import COOKIE, Open
from tests import people as cast


@pytest.mark.req("IA-01")
def test_every_page_says_what_it_needs_and_nothing_but_signing_in_is_public(app):
    views = {name: view for name, view in app.view_functions.items() if name != "static"}
    public = {name for name, view in views.items() if view.needs == Open.PUBLIC}
    assert public == {"sign_in.show", "sign_in.submit"}
    for view in views.values():
        assert isinstance(view.needs, Right) or view.needs in (Open.PUBLIC, Open.SIGNED_IN)


def test_without_a_session_the_sign_in_page_stands_in_for_every_page(visitor):
    answer = visitor(None).get("/nct05974683/people")
    assert answer.status_code == 401
    assert 'name="password"' in answer.text
    assert 'value="/nct05974683/people"' in answer.text


def test_a_person_signs_in_and_comes_to_the_page_they_wanted(visitor):
    nobody = visitor(None)
    sent = {"username": "alma", "password": cast.PASSWORD, "next": "/nct05974683/people"}
    answer = nobody.post("/sign-in", sent)
    assert (answer.status_code, answer.location) == (303, "/nct05974683/people")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert nobody.get("/nct05974683/people").status_code == 200


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil", "x"])
def test_after_signing_in_nobody_is_led_elsewhere(visitor, then):
    sent = {"username": "alma", "password": cast.PASSWORD, "next": then}
    assert visitor(None).post("/sign-in", sent).location == "/"


@pytest.mark.parametrize("username", ["alma", "nobody-at-all"])
def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(visitor, username):
    answer = visitor(None).post("/sign-in", {"username": username, "password": "wrong"})
    assert answer.status_code == 403
    assert "The user name or the password is not right." in answer.text
    assert COOKIE not in answer.headers.get("Set-Cookie", "")
    assert f'value="{username}"' in answer.text


@pytest.mark.req("IA-16")
def test_the_sixth_wrong_password_is_told_to_wait(visitor):
    nobody = visitor(None)
    for _ in range(5):
        nobody.post("/sign-in", {"username": "alma", "password": "wrong"})
    answer = nobody.post("/sign-in", {"username": "alma", "password": cast.PASSWORD})
    assert answer.status_code == 429
    assert "Try again in" in answer.text


@pytest.mark.req("SE-03")
def test_a_form_without_our_token_or_from_another_site_is_refused(visitor):
    alma = visitor(cast.ALMA)
    assert alma.client.post("/sign-out").status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert alma.post("/sign-out", headers=foreign).status_code == 403
    assert alma.get("/nct05974683/people").status_code == 200


@pytest.mark.req("IA-18")
def test_signing_out_ends_the_session(visitor):
    alma = visitor(cast.ALMA)
    assert alma.post("/sign-out").status_code == 303
    assert alma.get("/nct05974683/people").status_code == 401


@pytest.mark.req("SE-02")
def test_every_answer_forbids_scripts_from_elsewhere_and_is_not_kept(visitor):
    for path in ("/sign-in", "/nothing-here", "/"):
        headers = visitor(cast.ALMA).get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_language_is_chosen_once_and_stays(visitor):
    nobody = visitor(None)
    assert "登录" in nobody.get("/sign-in?lang=zh").text
    assert 'lang="zh-CN"' in nobody.get("/sign-in").text
    assert 'lang="en"' in nobody.get("/sign-in?lang=en").text


def test_a_role_that_does_not_include_a_page_is_told_so(visitor):
    answer = visitor(cast.ANNA).get("/nct05974683/people")
    assert answer.status_code == 403
    assert "Your role does not include this page." in answer.text


@pytest.mark.req("SE-11")
def test_an_unexpected_fault_shows_a_reference_and_nothing_else(app, visitor, monkeypatch):
    def burst(_study_id):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("ecrf.web.people._rows", burst)
    answer = visitor(cast.ALMA).get("/nct05974683/people")
    assert answer.status_code == 500
    assert "Reference" in answer.text and "secret detail" not in answer.text


def test_an_administrator_adds_a_person_and_the_wrong_parts_are_named(visitor):
    alma = visitor(cast.ALMA)
    sent = {
        "username": "nora", "name": "Nora New", "password": "a long phrase here",
        "role": "monitor", "site": "", "reason": "new monitor",
    }  # fmt: skip
    answer = alma.post("/nct05974683/people", {**sent, "password": "short"})
    assert answer.status_code == 422 and "12 to 128" in answer.text
    assert 'value="Nora New"' in answer.text
    assert alma.post("/nct05974683/people", sent).status_code == 303
    assert "nora" in alma.get("/nct05974683/people").text


@pytest.mark.req("IA-17")
def test_a_form_sent_after_the_session_ended_is_kept_and_can_be_sent_again(visitor):
    nobody = visitor(None)
    sent = {"username": "nora", "name": "Nora New", "password": "a long phrase here",
            "role": "monitor", "site": "", "reason": "new monitor"}  # fmt: skip
    answer = nobody.client.post("/nct05974683/people", data=sent)
    assert answer.status_code == 401
    assert 'name="held:name" value="Nora New"' in answer.text
    assert "a long phrase here" not in answer.text
    back = {"username": "alma", "password": cast.PASSWORD, "next": "/nct05974683/people"}
    held = {f"held:{name}": value for name, value in sent.items() if name != "password"}
    kept = nobody.client.post("/sign-in", data={**back, **held})
    assert 'action="/nct05974683/people"' in kept.text
    assert 'name="reason" value="new monitor"' in kept.text


@pytest.mark.req("SE-03")
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_what_another_site_sends_is_never_held_for_the_next_to_sign_in(visitor, headers):
    sent = {"act": "give", "role": "monitor", "reason": "planted"}
    answer = visitor(None).post("/nct05974683/people/1", sent, headers=headers)
    assert answer.status_code == 403
    assert "planted" not in answer.text


@pytest.mark.req("T12")
def test_an_error_of_the_database_does_not_show_what_was_typed(database):
    with pytest.raises(DBAPIError) as error, database.write() as session:
        session.execute(text("SELECT :typed FROM nowhere"), {"typed": "secret answer"})
    assert "secret answer" not in str(error.value)


def test_a_path_with_a_nul_is_no_page(visitor):
    assert visitor(None).get("/nct05974683/participants/%00").status_code == 404
