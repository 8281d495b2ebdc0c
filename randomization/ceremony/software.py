"""Which software makes a list: its version, and a hash of the very code that draws."""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

DRAWING = (
    "arm.py", "commit.py", "design.py", "drbg.py", "schemes/__init__.py", "schemes/blocks.py",
    "schemes/scheme.py", "schemes/urns.py", "schemes/walks.py",
)  # fmt: skip


@cache
def named() -> str:
    """Return such as `ecrf 0.1.0 code 3fa9c2d15b07`."""
    found = hashlib.sha256()
    for name in DRAWING:
        found.update((files("randomization") / name).read_bytes())
    return f"ecrf {version('ecrf')} code {found.hexdigest()[:12]}"
