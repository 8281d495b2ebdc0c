"""Processes of their own for tests: each begins as a fresh one does, and has its imports done.

They are forked from a server that has imported the program and nothing else happened in: no
engine, no thread, no open file of a test. To start Python anew for each costs five seconds.
"""

import multiprocessing
import os
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
IMPORTED = ("tests.randomization.test_race", "tests.web.test_killed")
"""Where the functions stand that run in such processes, and with them all that they import."""


@cache
def context():
    """Return the way to start such processes, for `Process` and for `ProcessPoolExecutor`."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(IMPORTED))
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}):
        forkserver.ensure_running()
    return found
