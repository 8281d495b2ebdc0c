"""Write the reference pages that are made from the code: `python docs/generate.py`.

A test compares the pages with what this would write, so that they cannot go stale.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from ecrf.cli import main
from ecrf.kernel.access import BLINDED, RIGHTS, Right, Role
from ecrf.kernel.config import SETTINGS

HERE = Path(__file__).parent
NOTE = "<!-- made by docs/generate.py -->\n\n"


def settings() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in SETTINGS.items()]
    head = (
        "# Settings\n\nEnvironment variables. With none of them set everything works on "
        "SQLite under `./var`.\n\n"
    )
    return NOTE + head + "| setting | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def rights() -> str:
    """One row a right, one column a role; blinded and unblinded roles are marked."""
    marks = {role: "blinded" if role in BLINDED else "UNBLINDED" for role in Role}
    head = "| right | " + " | ".join(f"{role} ({marks[role]})" for role in Role) + " |\n"
    line = "|---|" + "---|" * len(Role) + "\n"
    rows = [
        f"| `{right}` | "
        + " | ".join("✓" if right in RIGHTS[role] else "" for role in Role)
        + " |"
        for right in Right
    ]
    intro = (
        "# Rights\n\nWho may do what. Nobody holds a blinded and an unblinded role in one "
        "study, ever.\nThe page of code behind this table is `ecrf/kernel/access.py`.\n\n"
    )
    return NOTE + intro + head + line + "\n".join(rows) + "\n"


def commands() -> str:
    parts = ["# Commands\n"]
    for path, command in _walk("ecrf", main):
        context = click.Context(command, info_name=path)
        parts.append(f"## `{path}`\n\n```\n{command.get_help(context)}\n```\n")
    return NOTE + "\n".join(parts)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _walk(f"{path} {name}", below)


PAGES = {"settings.md": settings, "rights.md": rights, "commands.md": commands}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), "utf-8")
