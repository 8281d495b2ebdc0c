"""The line between the two processes: what passes, what does not, and how it fails."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from time import sleep

import pytest
from sqlalchemy import select, update

from ecrf.kernel import chance, clock
from ecrf.kernel.access import Actor
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Refused, Unavailable
from ecrf.web import vault_address
from ecrf.web.vault.service import FRESH, Service
from randomization import api, wire
from randomization.tables import Allocation, Kit
from tests.people import ADAM, ANNA, AUDREY, BO, PAUL
from tests.randomization.conftest import ARMS, STRATA, request_, visit, who
from tests.vault_apart.conftest import SECRET, free_port, line_to, served

UNTIL = request_("").usable_until
NOBODY = Actor(99, "Nobody", frozenset())
ONE = "This is not possible at the moment; nothing was changed. Tell the study's support"


def allocations(vault):
    with vault.database.read() as session:
        return session.scalars(select(Allocation.receipt).order_by(Allocation.serial)).all()


def test_the_four_questions_are_answered_as_the_vault_itself_answers(line, vault):
    anna, paul = who(ANNA), who(PAUL)
    receipt = line.randomize(anna, request_("PUMCH-001"))
    assert receipt == vault.randomize(anna, request_("PUMCH-001"))
    assert receipt.text == allocations(vault)[0]
    numbers = line.assign_kits(paul, visit("PUMCH-001"), 2, UNTIL)
    assert numbers == vault.assign_kits(paul, visit("PUMCH-001"), 2, UNTIL)
    released = line.release_kits(anna, visit("PUMCH-001"))
    assert released == vault.release_kits(anna, visit("PUMCH-001"))
    assert tuple(kit.number for kit in released) == numbers
    checked = line.verify(who(AUDREY), "nct05974683")
    assert checked[1:] == (1, 0)
    assert checked.slots == vault.verify(who(AUDREY), "nct05974683").slots >= 3 * 40


@pytest.mark.req("BL-03")
def test_a_line_can_ask_nothing_else(line):
    assert set(wire.VERBS) == {"randomize", "assign-kits", "release-kits", "verify"}
    public = {name for name in dir(line) if not name.startswith("_")}
    fields = {"address", "secret", "clock", "draw", "patience"}
    assert public - fields == {"randomize", "assign_kits", "release_kits", "verify"}
    assert "ssss" not in repr(line)


def test_the_vault_asks_for_the_rights_again(line, vault):
    cases = [
        (NotAllowed, lambda: line.randomize(who(PAUL), request_("PUMCH-001"))),
        (NotAllowed, lambda: line.randomize(who(BO), request_("PUMCH-001"))),
        (NotAllowed, lambda: line.assign_kits(who(ANNA), visit("PUMCH-001"), 1, UNTIL)),
        (NotAllowed, lambda: line.release_kits(who(BO), visit("PUMCH-001"))),
        (NotAllowed, lambda: line.verify(who(ADAM), "nct05974683")),
        (NotAllowed, lambda: line.randomize(who(NOBODY), request_("X"))),
    ]  # fmt: skip
    for kind, ask in cases:
        with pytest.raises(kind):
            ask()
    assert allocations(vault) == []


def test_a_refusal_is_said_in_both_languages_and_of_its_kind(line):
    line.randomize(who(ANNA), request_("PUMCH-001"))
    with pytest.raises(Conflict) as refused:
        line.randomize(who(ANNA), request_("PUMCH-001", stratum=STRATA[1]))
    assert refused.value.message.in_("en").startswith("This participant was randomized already")
    assert "受试者" in refused.value.message.in_("zh")
    with pytest.raises(NotFound):
        line.assign_kits(who(PAUL), visit("PUMCH-077"), 1, UNTIL)


@pytest.mark.req("BL-03")
def test_no_kit_no_slot_no_secret_and_no_vault_look_alike(line, vault, address):
    with vault.database.write() as session:
        session.execute(update(Kit).values(state="quarantined"))
    kitless = refusal(line, request_("PUMCH-001"))
    slotless = refusal(line, request_("PUMCH-001", stratum="site=none", kits=0))
    stranger = refusal(replace(line, secret=b"t" * 32), request_("PUMCH-001"))
    nobody = refusal(line_to(f"http://127.0.0.1:{free_port()}"), request_("PUMCH-001"))
    for refused in (kitless, slotless, stranger, nobody):
        assert type(refused) is Unavailable
        assert str(refused).startswith(ONE)
    assert {len(str(refused)) for refused in (kitless, slotless, stranger, nobody)} == {
        len(str(nobody))
    }
    assert {len(r.message.in_("zh")) for r in (kitless, slotless, stranger, nobody)} == {
        len(nobody.message.in_("zh"))
    }


def refusal(line, asked):
    with pytest.raises(Refused) as refused:
        line.randomize(who(ANNA), asked)
    return refused.value


@pytest.mark.req("BL-03")
@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_answer_has_one_size_one_status_and_one_set_of_headers(service, vault):
    port = free_port()
    heard = []
    with served(service, host="127.0.0.1", port=port):
        for verb, actor, asked in (
            ("randomize", ANNA, request_("PUMCH-001")),
            ("randomize", ANNA, request_("PUMCH-001", kits=0, stratum="none")),
            ("randomize", ANNA, request_("PUMCH-002", stratum=STRATA[1], kits=0)),
            ("randomize", BO, request_("PUMCH-003")),
            ("assign-kits", PAUL, wire.Assigning(visit("PUMCH-001"), 3, UNTIL)),
            ("assign-kits", PAUL, wire.Assigning(visit("PUMCH-009"), 3, UNTIL)),
            ("release-kits", ANNA, visit("PUMCH-001")),
            ("release-kits", ANNA, visit("PUMCH-009")),
            ("verify", AUDREY, "nct05974683"),
            ("verify", ADAM, "nct05974683"),
        ):  # fmt: skip
            heard.append(raw(port, verb, wire.question(verb, who(actor), asked)))
    assert {(status, len(body)) for status, _, body in heard} == {(200, wire.SIZE)}
    assert len({tuple(sorted(len(value) for value in headers)) for _, headers, _ in heard}) == 1
    said = b"".join(body for _, _, body in heard)
    assert not any(arm.encode() in said for arm in ARMS)


def raw(port, verb, body, **changed):
    """Send a question by hand; return status, the values of the headers, and the body."""
    nonce = chance.system(16).hex()
    headers = wire.signed_question(SECRET, verb, clock.now(), nonce, body) | changed
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", wire.PREFIX + verb, body, headers)
        response = connection.getresponse()
        values = [value for name, value in response.getheaders() if name != "Date"]
        return response.status, values, response.read()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_who_does_not_hold_the_secret_is_not_let_in(service, vault):
    port = free_port()
    body = wire.question("randomize", who(ANNA), request_("PUMCH-001"))
    other = wire.question("randomize", who(ANNA), request_("PUMCH-002"))
    nonce, now = "ab" * 16, clock.now()
    good = wire.signed_question(SECRET, "randomize", now, nonce, body)
    late = wire.signed_question(
        SECRET, "randomize", now - FRESH - timedelta(seconds=5), nonce, body
    )
    early = wire.signed_question(SECRET, "randomize", now + 2 * FRESH, nonce, body)
    forged = wire.signed_question(b"t" * 32, "randomize", now, nonce, body)
    with served(service, host="127.0.0.1", port=port):
        for verb, sent, headers in (
            ("randomize", body, {}),
            ("randomize", body, forged),
            ("randomize", other, good),
            ("assign-kits", body, good),
            ("randomize", body, late),
            ("randomize", body, early),
            ("randomize", body, good | {"ECRF-Time": "yesterday"}),
            ("randomize", body, good | {"ECRF-Nonce": "cd" * 16}),
            ("code-break", body, good),
        ):  # fmt: skip
            assert plain(port, verb, sent, headers) == (401, b" " * wire.SIZE)
        assert plain(port, "randomize", body, good)[0] == 200
        assert plain(port, "randomize", body, good)[0] == 401
    assert len(allocations(vault)) == 1


def plain(port, verb, body, headers):
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", wire.PREFIX + verb, body, headers)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_was_signed_before_the_service_began_is_refused(vault):
    port = free_port()
    body = wire.question("verify", who(AUDREY), "nct05974683")
    before = wire.signed_question(SECRET, "verify", clock.now(), "ab" * 16, body)
    fresh = Service(vault, SECRET, clock.now, chance.system)
    with served(fresh, host="127.0.0.1", port=port):
        assert plain(port, "verify", body, before)[0] == 401


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_answer_to_another_question_or_a_forged_one_is_not_believed(service, vault):
    """A listener on the address that plays back a true answer gets no belief for it."""
    heard = []

    def keep(environ, start_response):
        content = b"".join(service(environ, start_response))
        heard.append(content)
        return [content]

    port = free_port()
    with served(keep, host="127.0.0.1", port=port):
        line_to(f"http://127.0.0.1:{port}").randomize(who(ANNA), request_("PUMCH-001"))

    def replay(environ, start_response):
        mark = wire.signature(SECRET, wire.ANSWER, "another nonce", heard[0])
        start_response("200 OK", [("ECRF-Signature", mark)])
        return [heard[0]]

    port = free_port()
    with served(replay, host="127.0.0.1", port=port):
        refused = refusal(line_to(f"http://127.0.0.1:{port}"), request_("PUMCH-001"))
    assert str(refused).startswith(ONE)


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("after", ["lost", "late"])
def test_an_answer_lost_after_the_vaults_commit_is_said_again(service, vault, after):
    """The vault has committed, then the connection ends or the time is over: ask again."""
    port, done = free_port(), []

    def losing(environ, start_response):
        content = list(service(environ, start_response))
        if not done:
            done.append(content)
            if after == "lost":
                raise ConnectionResetError
            sleep(2)
        return content

    with served(losing, host="127.0.0.1", port=port):
        line = line_to(f"http://127.0.0.1:{port}", patience=1.0 if after == "late" else 20.0)
        refused = refusal(line, request_("PUMCH-001"))
        assert str(refused).startswith(ONE)
        (committed,) = allocations(vault)
        again = replace(line, patience=20.0).randomize(who(ANNA), request_("PUMCH-001"))
    assert again.text == committed
    assert len(allocations(vault)) == 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_unexpected_failure_says_no_more_than_a_missing_kit(vault, caplog):
    class Failing:
        def randomize(self, by, asked):
            raise RuntimeError(f"the arm is {ARMS[0]}")

    port = free_port()
    with served(
        Service(Failing(), SECRET, clock.now, chance.system), host="127.0.0.1", port=port
    ):
        refused = refusal(line_to(f"http://127.0.0.1:{port}"), request_("PUMCH-001"))
    assert str(refused).startswith(ONE)
    assert "unexpected RuntimeError" in caplog.text
    assert ARMS[0] not in caplog.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_time_of_an_allocation_is_the_vaults_and_not_what_is_claimed(line, vault):
    receipt = line.randomize(who(ANNA), request_("PUMCH-001"))
    assert abs(clock.now() - receipt.at) < timedelta(minutes=1)


def test_an_answer_that_does_not_fit_is_never_cut(monkeypatch):
    with pytest.raises(wire.TooLong):
        wire.answer("assign-kits", tuple(f"K{n:07}" for n in range(2000)))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"asker": 1}', b'{"asker": {}, "asked": {}}', b"\xff"]
)
def test_what_is_no_question_is_refused(body):
    with pytest.raises(ValueError):
        wire.read_question("randomize", body)


def test_a_claim_of_a_role_that_does_not_exist_is_no_question():
    body = json.loads(wire.question("randomize", who(ANNA), request_("PUMCH-001")))
    body["asker"]["actor"]["grants"][0]["role"] = "owner of the vault"
    with pytest.raises(ValueError):
        wire.read_question("randomize", json.dumps(body).encode())


@pytest.mark.parametrize(
    "text",
    [None, "", "vault.sock", "unix:vault.sock", "unix://vault.sock", "http://10.0.0.7:8801",
     "http://vault.example:8801", "https://127.0.0.1:8801", "http://127.0.0.1"],
)  # fmt: skip
def test_an_address_on_another_machine_is_refused(text):
    with pytest.raises(ValueError, match="ECRF_VAULT_ADDRESS"):
        vault_address.read(text)


def test_the_front_doors_vault_answers_what_a_line_answers(vault):
    assert isinstance(vault, api.Vault)
    for name in ("randomize", "assign_kits", "release_kits", "verify"):
        assert callable(getattr(vault, name))
