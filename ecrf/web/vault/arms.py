"""An arm as words: the one place where it becomes text on a page."""

from ecrf.kernel.text import Text
from ecrf.study.model import Study, Words
from randomization import api


def said(study: Study, found: api.Disclosure) -> Text:
    """Return the treatment's name in both languages."""
    opened = found.arm.opened()
    label = next((arm.label for arm in study.arms if arm.id == opened), None)
    if label is None:
        return Words(en=opened, zh=opened)
    return Words(en=f"{opened}: {label.en}", zh=f"{opened}：{label.zh}")
