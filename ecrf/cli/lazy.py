"""Groups whose commands are loaded when they are asked for: most of a start is loading.

Only modules of this package can be loaded so, which stands above all others.
"""

import gc
from collections.abc import Mapping
from importlib import import_module  # noqa: TID251 (of ecrf.cli only)
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows where its commands are: by name, as `module:command`."""

    def __init__(self, *args: Any, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._places and cmd_name not in self.commands:
            self.add_command(_loaded(self._places[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)


def _loaded(place: str) -> click.Command:
    """Load a command; nothing of what is loaded is ever garbage, so none is looked for."""
    module, _, name = place.partition(":")
    gc.disable()
    try:
        command: click.Command = getattr(import_module(f"ecrf.cli.{module}"), name)
    finally:
        gc.freeze()
        gc.enable()
    return command
