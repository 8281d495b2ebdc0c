from pathlib import Path

import pytest

from ecrf.kernel.config import SETTINGS, Config, Environment


def test_without_settings_everything_lies_under_var():
    config = Config.from_env({})
    assert config.data_dir == Path("var")
    assert config.database_url == "sqlite:///var/ecrf.db"
    assert config.vault_database_url == "sqlite:///var/vault/vault.db"
    assert config.environment is Environment.TEST


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ECRF_DATABSE_URL": "sqlite://"}, "ECRF_DATABSE_URL"),
        ({"ECRF_ENVIRONMENT": "live"}, "ECRF_ENVIRONMENT"),
        ({"ECRF_LOCALE": "fr"}, "ECRF_LOCALE"),
        (
            {"ECRF_DATABASE_URL": "sqlite:///a", "ECRF_VAULT_DATABASE_URL": "sqlite:///a"},
            "VAULT",
        ),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(environ, named):
    with pytest.raises(ValueError, match=named):
        Config.from_env(environ)


def test_every_setting_is_read():
    values = {name: f"/x/{name}" for name in SETTINGS}
    values |= {"ECRF_ENVIRONMENT": "production", "ECRF_LOCALE": "zh"}
    shown = repr(Config.from_env(values)).replace("PosixPath", "")
    for name, value in values.items():
        assert value in shown, name
