"""The treatment's name as a text: where an arm of a disclosure becomes words on a page."""

from ecrf.kernel.text import Text
from ecrf.study.model import Study, Words
from randomization.api import Disclosure


def named(study: Study, found: Disclosure) -> Text:
    """Return the arm's id and what the study calls it."""
    opened = found.arm.opened()
    label = next((arm.label for arm in study.arms if arm.id == opened), None)
    if label is None:
        return Words(en=opened, zh=opened)
    return Words(en=f"{opened}: {label.en}", zh=f"{opened}：{label.zh}")
