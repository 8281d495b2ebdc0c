"""The accounts of a training copy, shown on its sign-in page as cards. Never in production."""

import json
from pathlib import Path
from typing import NamedTuple

from ecrf.study.model import Words

FILE = "accounts.json"


class Card(NamedTuple):
    """An account of the training copy; `task` is something to try with it."""

    username: str
    password: str
    name: str
    role: Words
    task: Words


def read(data_dir: Path) -> list[Card]:
    """Return the cards a demonstration wrote, or none."""
    path = data_dir / FILE
    if not path.is_file():
        return []
    return [
        Card(c["username"], c["password"], c["name"], Words(**c["role"]), Words(**c["task"]))
        for c in json.loads(path.read_text("utf-8"))
    ]


def write(data_dir: Path, cards: list[Card]) -> None:
    content = [
        {**card._asdict(), "role": card.role.model_dump(), "task": card.task.model_dump()}
        for card in cards
    ]
    (data_dir / FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
