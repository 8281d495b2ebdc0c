"""Where the vault answers the blinded side: a socket of this machine, or a loopback address."""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """A unix socket's path, or else a loopback host and its port."""

    path: str | None
    host: str
    port: int

    def listening(self) -> dict[str, object]:
        """Return what a waitress server is told; the socket is for its owner and group."""
        if self.path is not None:
            return {"unix_socket": self.path, "unix_socket_perms": "660"}
        return {"host": self.host, "port": self.port}


def read(text: str | None) -> Address:
    """Return the address of the setting; ValueError says what would be right."""
    parts = urlsplit(text or "")
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return Address(parts.path, "localhost", 0)
    if parts.scheme == "http" and _loopback(parts.hostname) and parts.port:
        return Address(None, parts.hostname or "", parts.port)
    raise ValueError(
        "ECRF_VAULT_ADDRESS is unix:///run/ecrf/vault.sock, or http://127.0.0.1:8801 on this "
        "machine; between machines put a tunnel there"
    )


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
