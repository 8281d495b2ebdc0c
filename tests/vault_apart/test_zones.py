"""What each process looks at before it starts."""

import pytest

from ecrf.cli import serve
from ecrf.cli.installation import opened
from ecrf.kernel import zones
from ecrf.kernel.chance import Seeded
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database


@pytest.fixture
def place(tmp_path):
    """An installation as `ecrf init` makes it, with everything in one folder."""
    config = Config.from_env({"ECRF_DATA_DIR": str(tmp_path)})
    serve.build(config, Seeded(b"zones"))
    with opened(config) as made:
        yield made


def settings(place, **other):
    return Config.from_env({"ECRF_DATA_DIR": str(place.config.data_dir), **other})


def test_a_fresh_installation_serves_the_vault_but_not_the_blinded_side_alone(place):
    assert list(zones.vault(place.config, place.database, place.vault)) == []
    wrong = "\n".join(zones.blinded(place.config))
    assert "vault.key can be read by this user" in wrong
    assert "vault.db can be read by this user" in wrong


def test_the_blinded_side_starts_when_key_and_vault_are_elsewhere(place, tmp_path):
    (tmp_path / "vault").rename(tmp_path / "away")
    assert list(zones.blinded(settings(place))) == []
    url = "postgresql://ecrf_keeper@db/ecrf_vault"
    (wrong,) = zones.blinded(settings(place, ECRF_VAULT_DATABASE_URL=url))
    assert "ECRF_VAULT_DATABASE_URL is set" in wrong


def test_its_settings_then_name_no_vault(place):
    config = settings(place).without_vault()
    assert config.vault_database_url == ""
    assert config.database_url == place.config.database_url


@pytest.mark.parametrize(("mode", "flaws"), [(0o600, 0), (0o640, 0), (0o660, 1), (0o644, 1)])
def test_the_shared_secret_is_for_two_users_of_one_group_at_most(place, mode, flaws):
    place.config.secret_file.chmod(mode)
    found = [flaw for flaw in zones.blinded(place.config) if "ECRF_SECRET_FILE" in flaw]
    assert len(found) == flaws
    assert all("chmod 640" in flaw for flaw in found)
    found = list(zones.vault(place.config, place.database, place.vault))
    assert len(found) == flaws


def test_a_missing_secret_or_a_key_that_others_read_is_named(place):
    place.config.secret_file.unlink()
    place.config.vault_key_file.chmod(0o640)
    key, secret = zones.vault(place.config, place.database, place.vault)
    assert "chmod 600" in key
    assert "secret.key is missing" in secret


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_one_database_by_two_names_is_noticed(database, vault_database):
    other = Database(database.engine.url.render_as_string(hide_password=False))
    assert "names the main database" in "".join(zones.databases(database, other))
    assert "main database holds the vault" in "".join(zones.databases(vault_database, database))
    assert list(zones.databases(database, vault_database)) == []
    other.dispose()


def test_a_database_that_cannot_be_opened_is_named_without_its_password(place):
    gone = Database("postgresql+psycopg://keeper:hush@127.0.0.1:9/ecrf_vault")
    (wrong,) = zones.databases(place.database, gone)
    assert "keeper:***@127.0.0.1:9/ecrf_vault cannot be opened" in wrong
    gone.dispose()


def test_a_database_without_tables_is_no_vault(database, empty_database):
    assert "without tables of a vault" in "".join(zones.databases(database, empty_database))
