"""What takes long to make is made once in a run, for however many processes test at a time."""

import fcntl
from contextlib import contextmanager


def root(factory):
    """Return the folder of this run that all its processes share."""
    base = factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@contextmanager
def gate(folder):
    """Let one process at a time into the folder; give the file whose presence says it is done.

    Whoever finds no such file makes what belongs here, and touches it at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "done"


def text(factory, name, make):
    """Return the text that `make()` gives to the first of all the processes that ask."""
    folder = root(factory) / name
    with gate(folder) as done:
        if not done.exists():
            (folder / "text").write_text(make(), "utf-8")
            done.touch()
        return (folder / "text").read_text("utf-8")
