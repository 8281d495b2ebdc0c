"""Escrow: any two of three shares give the key back, one gives nothing, all is written down."""

import io
from itertools import combinations

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from sqlalchemy import select

from ecrf.cli import main
from ecrf.cli.cards import card
from ecrf.kernel import keys
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import Conflict, Unacceptable
from randomization import escrow, seal
from randomization.opened import Vault
from randomization.tables import LEDGER
from tests import people

HOUSES = ("Sponsor QA", "PUMCH", "Statistician")


@pytest.fixture
def path(tmp_path, draw):
    found = tmp_path / "vault.key"
    seal.make_keys(found, draw)
    return found


@pytest.fixture
def shares(vault_database, path, by):
    vault = Vault(vault_database, seal.load_keys(path), "test")
    return escrow.split(vault, by(people.ALMA), people.STUDY, path, HOUSES)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_any_two_shares_give_the_key_back_and_one_does_not(shares, path, tmp_path):
    for number, two in enumerate(combinations(shares, 2)):
        content = escrow.recover([f"  {share.words.upper()} " for share in two])
        assert content == keys.load(path)
        again = tmp_path / f"again-{number}.key"
        assert escrow.restore(again, content) == shares[0].check
        assert seal.load_keys(again) == seal.load_keys(path)
    for share in shares:
        with pytest.raises(Unacceptable, match="do not give the key"):
            escrow.recover([share.words])
    with pytest.raises(Conflict, match="there already"):
        escrow.restore(path, keys.load(path))


def test_who_got_a_share_is_written_down_and_no_word_of_it(shares, vault_database):
    with vault_database.read() as session:
        (written,) = session.execute(select(LEDGER.act)).all()
    text = str(written)
    assert "escrow:split" in text
    assert all(house in text for house in HOUSES)
    assert not any(" ".join(share.words.split()[4:8]) in text for share in shares)


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("holders", [(), HOUSES[:2], ("A", "A", "B"), ("A", "", "B")])
def test_three_different_houses_hold_the_shares(holders, vault_database, path, by):
    vault = Vault(vault_database, seal.load_keys(path), "test")
    with pytest.raises(Unacceptable, match="3 different holders"):
        escrow.split(vault, by(people.ALMA), people.STUDY, path, holders)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_card_is_one_page_with_the_words_in_order(shares):
    pdf = card("trial", 1, shares[0], people.NOON, Environment.PRODUCTION)
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    text = page.extract_text()
    assert all(f"{n}  {word}" in text for n, word in enumerate(shares[0].words.split(), 1))
    assert "Sponsor QA" in text and "密钥" in text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_command_makes_the_file_from_the_typed_words(shares, tmp_path, path):
    out = tmp_path / "typed.key"
    typed = "\n".join(share.words for share in shares[1:]) + "\n"
    done = CliRunner().invoke(
        main, ["randomization", "recover", "--out", str(out)], input=typed
    )
    assert done.exit_code == 0, done.output
    assert shares[0].check in done.output
    assert keys.load(out) == keys.load(path)
