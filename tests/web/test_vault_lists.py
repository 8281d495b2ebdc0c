"""The pages of a list's ceremony: Stan makes the list, Dora makes it again, both activate."""

import io
import json
import re
import subprocess
from datetime import timedelta

import pytest

from ecrf.kernel import accounts
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.web.routes import COOKIE
from ecrf.web.services import Services
from ecrf.web.vault import app as vault
from randomization import api as lists_api
from randomization import seal
from randomization.ceremony import api
from tests.people import ANNA, DORA, NOON, PASSWORD, PAUL, STAN, STUDY
from tests.web.conftest import Visitor
from tests.web.test_randomize import database, ready_databases  # noqa: F401

LISTS = f"/vault/{STUDY}/lists"
ONE = f"{LISTS}/1"
HOUR = timedelta(hours=1)
SIGNED = {"password": PASSWORD}
SPEC = {
    "number": "1",
    "scheme": "permuted_block",
    "sizes": "4, 6",
    "options": "",
    "slots": "12",
}
PLAN = {"source": "drand", "words": "quicknet, round 7", "known_from": "2026-03-02T14:00"}
ROUND = "0b" * 32
STRATA = [
    f"site={site}|background={level}" for site in ("PUMCH", "BFH", "TJH") for level in "YN"
]


@pytest.fixture
def opened(vault_database, tmp_path):
    keys = seal.make_keys(tmp_path / "vault.key", Seeded(b"keys"))
    return lists_api.Vault(vault_database, keys, "test")


@pytest.fixture
def clock():
    """The time of the server, to be set forward."""
    return [NOON]


@pytest.fixture
def come(config, database, opened, clock):  # noqa: F811
    """Give `come(actor)`: that person, signed in now at the vault app."""
    services = Services(config, database, lambda: clock[0], Seeded(b"lists"))
    app, draw = vault.create(services, opened), Seeded(b"come")

    def arrive(actor):
        by = By(actor, clock[0], Origin.PAGE, draw)
        with database.write() as session:
            token, csrf = accounts.sign_in(session, by, actor.id)
        client = app.test_client()
        client.set_cookie(COOKIE, token)
        return Visitor(client, csrf)

    return arrive


def do(visitor, act, **typed):
    answer = visitor.post(ONE, {"act": act, **SIGNED, **typed})
    assert answer.status_code == 303, answer.text
    return answer


def text(answer):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", answer.text))


def made(come, clock, **spec):
    """Bring list 1 to where it is generated, at 16:00 in Beijing; return Stan."""
    stan = come(STAN)
    assert stan.post(LISTS, {**SPEC, **spec, **SIGNED}).headers["Location"] == f"{ONE}?done=1"
    do(stan, "seed", **PLAN)
    do(stan, "announcement", filed="Registry, version 2")
    clock[0] += 2 * HOUR
    stan = come(STAN)
    do(stan, "beacon", value=ROUND.upper())
    do(stan, "generation")
    return stan


def again(stan, opened, tmp_path, file=None):
    """Take the sealed copy to the second machine."""
    sealed = stan.post(ONE, {"act": "export", **SIGNED})
    assert sealed.headers["Content-Disposition"].endswith(f"{STUDY}-list-1-sealed.json")
    found = api.reproduce(sealed.text, tmp_path / "vault.key", file)
    return {"root": found.root, "check": found.check, "where": "Laptop 2"}


@pytest.mark.req("RA-01")
def test_a_list_is_made_made_again_and_activated_on_the_pages(come, clock, opened, tmp_path):
    stan = made(come, clock)
    do(stan, "publication", filed="Ethics committee")
    found = again(stan, opened, tmp_path)
    refused = stan.post(ONE, {"act": "reproduction", **SIGNED, **found})
    assert refused.status_code == 409
    assert "Somebody who did not make the list" in refused.text
    dora = come(DORA)
    slip = dora.post(ONE, {"act": "reproduction", **SIGNED, **found, "check": "00000000"})
    assert slip.status_code == 422
    assert "do not belong together" in slip.text
    assert f'value="{found["root"]}"' in slip.text, "what was typed is still there"
    do(dora, "reproduction", **found)
    do(dora, "activation")
    assert "You have signed already" in dora.get(ONE).text
    do(stan, "activation")
    page = dora.get(ONE)
    assert "The list is active" in page.text
    assert "UNBLINDED" not in page.text
    assert "UNBLINDED" in stan.get(ONE).text
    assert lists_api.published(opened, STUDY, 1).state == "active"
    assert "Activation signed" in text(dora.get(LISTS))
    for shown in (page, stan.get(ONE), stan.get(LISTS), dora.get(LISTS)):
        assert not re.search(r"\b(MMF|PBO)\b", shown.text)
        assert "4, 6" not in re.sub(r"such as 4, 6", "", text(shown))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_step_asks_for_the_password_and_keeps_what_was_typed(come, clock):
    stan = come(STAN)
    wrong = stan.post(LISTS, {**SPEC, "password": "a guess"})
    assert wrong.status_code == 403
    assert 'value="4, 6"' in wrong.text
    impossible = stan.post(LISTS, {**SPEC, "sizes": "5", **SIGNED})
    assert impossible.status_code == 422
    assert "multiple of 2" in impossible.text
    assert stan.post(LISTS, {**SPEC, "sizes": "four", **SIGNED}).status_code == 422
    assert stan.post(LISTS, {**SPEC, "number": "0", **SIGNED}).status_code == 422
    assert stan.get(ONE).status_code == 404
    stan.post(LISTS, {**SPEC, **SIGNED})
    late = stan.post(ONE, {"act": "seed", **PLAN, "known_from": "2026-03-02T11:00", **SIGNED})
    assert late.status_code == 422
    assert "has to lie in the future" in late.text
    assert 'value="quicknet, round 7"' in late.text
    unread = stan.post(ONE, {"act": "seed", **PLAN, "known_from": "soon", **SIGNED})
    assert "Write the moment as 2026-03-05 18:00" in unread.text
    assert stan.post(ONE, {"act": "seed", **PLAN, "password": "a guess"}).status_code == 403
    assert stan.post(ONE, {"act": "nonsense", **SIGNED}).status_code == 422
    early = stan.post(ONE, {"act": "generation", **SIGNED})
    assert early.status_code == 409
    assert "Something comes first" in early.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_blinded_people_reach_no_list_and_signers_make_none(come, clock):
    made(come, clock)
    for person in (ANNA, PAUL):
        for page in (LISTS, ONE, f"{ONE}/minutes.txt", f"{ONE}/publication.pdf"):
            assert come(person).get(page).status_code in (403, 404)
    dora = come(DORA)
    assert dora.post(LISTS, {**SPEC, "number": "2", **SIGNED}).status_code == 403
    assert dora.post(ONE, {"act": "export", **SIGNED}).status_code == 403
    assert "Sizes of blocks" not in dora.get(LISTS).text
    assert dora.get(f"{ONE}/sealed.txt").status_code == 404


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_records_come_as_text_and_as_pdf_in_both_languages(come, clock, opened, tmp_path):
    made(come, clock)
    dora = come(DORA)
    first, second = (
        dora.get(f"{ONE}/{name}.txt").text for name in ("announcement", "publication")
    )
    assert "beacon: drand: quicknet, round 7\n" in first
    assert "beacon known from: 2026-03-02T14:00:00+08:00\n" in first
    assert f"beacon value: {ROUND}\n" in second
    for name, words in (
        ("announcement", ("First publication", "首次公布")),
        ("publication", ("Merkle root", "随机表公布")),
        ("minutes", ("Stan Luo", "种子已抽取并密封")),
    ):
        paper = dora.get(f"{ONE}/{name}.pdf")
        assert paper.content_type == "application/pdf"
        read = pdf_text(paper.data, tmp_path)
        assert all(word in read for word in words), read
        assert "test" in read
        assert not re.search(r"\b(MMF|PBO)\b|permuted|4, 6", read)
    assert dora.get(f"{ONE}/minutes.pdf").data == dora.get(f"{ONE}/minutes.pdf").data


def pdf_text(data, folder):
    path = folder / "paper.pdf"
    path.write_bytes(data)
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return done.stdout.decode()


def listed(lines):
    rows = "".join(f"{stratum},{at},{arm}\n" for stratum, at, arm in lines)
    return (f"stratum,position,arm\n{rows}").encode()


def lines(slots=12):
    return [
        (stratum, at, ("MMF", "PBO")[at % 2])
        for stratum in STRATA
        for at in range(1, slots + 1)
    ]


def upload(visitor, act, content, **typed):
    sent = {"act": act, "file": (io.BytesIO(content), "list.csv"), **typed}
    return visitor.post(ONE, sent, content_type="multipart/form-data")


def test_a_list_made_elsewhere_is_checked_and_imported(come, clock, opened, tmp_path):
    stan = come(STAN)
    stan.post(LISTS, {**SPEC, "scheme": "imported", "sizes": "", **SIGNED})
    assert stan.post(ONE, {"act": "check"}).status_code == 422
    wrong = upload(stan, "check", listed([("site=XX", 1, "MMF")]))
    assert wrong.status_code == 422
    assert "Line 2, column 1 (stratum)" in wrong.text
    skewed = lines()
    skewed[0] = (*skewed[0][:2], "MMF")
    weighed = upload(stan, "check", listed(skewed))
    assert weighed.status_code == 200
    assert "MMF" not in text(stan.get(ONE))
    assert ": 7 (6)" in weighed.text and ": 5 (6)" in weighed.text
    assert weighed.text.count("▲ not kept") == 1
    assert upload(stan, "import", listed(lines()), password="a guess").status_code == 403
    assert upload(come(DORA), "check", listed(lines())).status_code == 403
    assert upload(stan, "import", listed(lines()), **SIGNED).status_code == 303
    do(stan, "publication", filed="Ethics committee")
    do(come(DORA), "reproduction", **again(stan, opened, tmp_path, listed(lines())))
    for person in (DORA, STAN):
        do(come(person), "activation")
    assert lists_api.verify(opened, STUDY).flaws == ()
    assert lists_api.published(opened, STUDY, 1).state == "active"
    assert stan.get(f"{ONE}/announcement.txt").status_code == 404


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_ceremony_is_abandoned_with_a_reason(come, clock):
    stan = made(come, clock)
    assert stan.post(ONE, {"act": "abandonment", "reason": " ", **SIGNED}).status_code == 422
    do(stan, "abandonment", reason="The registry was closed")
    shown = text(stan.get(ONE))
    assert "This ceremony was abandoned" in shown
    assert "What comes next" not in shown
    assert "The registry was closed" in shown


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_sealed_copy_is_in_the_minutes_before_it_leaves(come, clock, opened, tmp_path):
    stan = made(come, clock)
    again(stan, opened, tmp_path)
    acts = "Sealed copy handed out"
    assert text(stan.get(ONE)).count(acts) >= 2
    with opened.database.read() as session:
        written = list(lists_api.LEDGER.acts(session, chain_name=f"vault:{STUDY}"))
    assert json.loads(written[-1][3])["action"] == "ceremony:export"
