"""Where the parts of a model stand in the files: the way back from a model to its nodes."""

from ecrf.study.findings import Place, Spot
from ecrf.study.yamlfile import Node

# The YAML name of what the model calls otherwise.
WRITTEN = {"members": ("items",), "id": ("id", "grid", "form"), "from_": ("from",)}
# Under these, a name is a key of the author's; the key itself is what a finding points at.
BY_NAME = frozenset({"dispense", "fill", "forms_to_come", "params", "ratio"})


class FilePlaces:
    """Finds places on demand: `roots` says at which node a part of the model begins."""

    def __init__(self) -> None:
        self.roots: dict[Spot, Node] = {}

    def place(self, spot: Spot) -> Place:
        trail = self._trail(spot)
        if len(spot) > 1 and spot[-2] in BY_NAME and len(trail) > 1:
            key = trail[-2].keys.get(str(spot[-1]))
            if key is not None:
                return key
        return trail[-1].place

    def broken(self, spot: Spot) -> bool:
        """Say whether `spot` lies in something of which a part had to be left out."""
        return any(node.broken for node in self._trail(spot))

    def _trail(self, spot: Spot) -> list[Node]:
        size = next(n for n in range(len(spot), -1, -1) if spot[:n] in self.roots)
        trail = [self.roots[spot[:size]]]
        for step in spot[size:]:
            inner = _step(trail[-1], step)
            if inner is not None:
                trail.append(inner)
            elif not isinstance(trail[-1].value, list):
                break
        return trail


def _step(node: Node, step: str | int) -> Node | None:
    entries = node.entries()
    if isinstance(step, int):
        inner = node.members() or list(entries.values())
        return inner[step] if step < len(inner) else None
    names = (step, *WRITTEN.get(step, ()))
    return next((entries[name] for name in names if name in entries), None)
