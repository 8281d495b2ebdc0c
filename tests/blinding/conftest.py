"""The two worlds: built once in a run, copied for every module that plays on with them."""

from contextlib import ExitStack

import pytest

from tests import once
from tests.blinding import worlds


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with both worlds as the demonstration leaves them; nobody writes to it."""
    with pytest.MonkeyPatch.context() as patch:
        yield worlds.both(once.root(tmp_path_factory) / "worlds", patch)


@pytest.fixture(scope="module")
def pair(built, tmp_path_factory):
    """The two worlds, the same but for the arms."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as open_:
        yield tuple(
            open_.enter_context(worlds.reopened(built / name, folder / name))
            for name in ("one", "other")
        )


@pytest.fixture(scope="session")
def people(built):
    """The user names of blinded people: every role, and a second site."""
    with worlds.opened(worlds.configured(built / "one", built / "protocols")) as place:
        return tuple(worlds.blinded_people(place))
