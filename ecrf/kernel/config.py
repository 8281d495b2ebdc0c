"""The settings: environment variables, read here and nowhere else.

With none of them set everything works on SQLite under `./var`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path


class Environment(StrEnum):
    TRAINING = "training"
    TEST = "test"
    PRODUCTION = "production"


SETTINGS: Mapping[str, str] = {
    "ECRF_DATABASE_URL": "The main (blinded) database. Default: SQLite in the data directory.",
    "ECRF_VAULT_DATABASE_URL": "The vault's own database; never the main one. Not set for "
    "`ecrf serve --only blinded`.",
    "ECRF_DATA_DIR": "Where files live. Default: ./var",
    "ECRF_PROTOCOLS": "Folder of study definitions. Default: the ones shipped.",
    "ECRF_SECRET_FILE": "Secret the blinded process and the vault's process share, under which "
    "questions and answers between them are signed; mode 600, or 640 with a group of the two. "
    "Cookies are not signed: a session is a random token of which the database keeps the hash.",
    "ECRF_VAULT_KEY_FILE": "Key that opens the vault's arms; the vault app alone reads it.",
    "ECRF_VAULT_ADDRESS": "Where a vault in its own process answers the blinded one: "
    "unix:///run/ecrf/vault.sock, or http://127.0.0.1:8801 on the same machine. `ecrf serve` "
    "without `--only` runs both apps in one process and needs none.",
    "ECRF_SIGNING_KEY_FILE": "Ed25519 key that signs checkpoints of the ledger.",
    "ECRF_BASE_URL": "Address people use; when it begins with https, cookies are secure.",
    "ECRF_SMTP_URL": "Mail server for notices: smtp://user:password@host:port (add ?starttls=1 "
    "to encrypt, &from=address for the sender) or smtps://…. The worker sends. Default: none.",
    "ECRF_ENVIRONMENT": "training, test or production; shown on every page. Default: test",
    "ECRF_LOCALE": "Language of the first page, en or zh. Default: en",
}


@dataclass(frozen=True, slots=True)
class Config:
    """Where everything is, decided once at start."""

    data_dir: Path
    database_url: str
    vault_database_url: str
    protocols: Path | None
    secret_file: Path
    vault_key_file: Path
    vault_address: str | None
    signing_key_file: Path
    base_url: str
    smtp_url: str | None
    environment: Environment
    locale: str
    named: frozenset[str] = frozenset()
    """The settings that were given, whatever their value."""

    def without_vault(self) -> "Config":
        """Return the settings of a process that may not know where the vault is kept."""
        return replace(self, vault_database_url="")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Config":
        """Read the settings; raise ValueError naming the setting that cannot be right."""
        unknown = sorted(
            name for name in environ if name.startswith("ECRF_") and name not in SETTINGS
        )
        unknown = [name for name in unknown if not name.startswith("ECRF_TEST_")]
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]}; see docs/settings.md")
        data = Path(environ.get("ECRF_DATA_DIR", "var"))
        config = cls(
            data_dir=data,
            database_url=environ.get("ECRF_DATABASE_URL", f"sqlite:///{data / 'ecrf.db'}"),
            vault_database_url=environ.get(
                "ECRF_VAULT_DATABASE_URL", f"sqlite:///{data / 'vault' / 'vault.db'}"
            ),
            protocols=_path(environ.get("ECRF_PROTOCOLS")),
            secret_file=Path(environ.get("ECRF_SECRET_FILE", data / "secret.key")),
            vault_key_file=Path(
                environ.get("ECRF_VAULT_KEY_FILE", data / "vault" / "vault.key")
            ),
            vault_address=environ.get("ECRF_VAULT_ADDRESS") or None,
            signing_key_file=Path(environ.get("ECRF_SIGNING_KEY_FILE", data / "signing.key")),
            base_url=environ.get("ECRF_BASE_URL", "http://127.0.0.1:8000"),
            smtp_url=environ.get("ECRF_SMTP_URL") or None,
            environment=_environment(environ.get("ECRF_ENVIRONMENT", "test")),
            locale=environ.get("ECRF_LOCALE", "en"),
            named=frozenset(name for name in SETTINGS if name in environ),
        )
        if config.database_url == config.vault_database_url:
            raise ValueError(
                "ECRF_VAULT_DATABASE_URL names the main database; the vault needs its own"
            )
        if config.locale not in ("en", "zh"):
            raise ValueError("ECRF_LOCALE is en or zh")
        return config


def read() -> Config:
    """Return the settings of this process; ValueError as in `Config.from_env`."""
    return Config.from_env(os.environ)


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def _environment(value: str) -> Environment:
    try:
        return Environment(value)
    except ValueError:
        raise ValueError("ECRF_ENVIRONMENT is training, test or production") from None
