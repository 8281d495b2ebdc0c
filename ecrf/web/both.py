"""Both apps behind one port, for a single machine; the vault app has all under /vault."""

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

PREFIX = "/vault/"


def behind_one_port(blinded: Wsgi, vault: Wsgi) -> Wsgi:
    """Return one WSGI app that hands each request to the app its path belongs to."""

    def choose(environ: Environ, start_response: Any) -> Iterable[bytes]:
        app = vault if str(environ.get("PATH_INFO", "")).startswith(PREFIX) else blinded
        return app(environ, start_response)

    return choose
