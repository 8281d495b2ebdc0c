"""What every part of a definition is made of: frozen models, texts, formulas. Pure.

Parts in modules of their own build on this page; `ecrf.study.model` brings them together.
"""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ecrf.study.expr import Run, compiled

Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
Source = Literal["protocol", "seen", "unverified", "design choice"]


class Frozen(BaseModel):
    """A part of a definition: cannot be changed, takes no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Words(Frozen):
    """A text in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def in_(self, locale: str) -> str:
        return self.zh if locale == "zh" else self.en


class Expression(Frozen):
    """A formula of the study: the text as written and its tree (`ecrf.study.expr`)."""

    text: str
    tree: tuple[Any, ...]

    @cached_property
    def run(self) -> Run:
        """The tree as a function."""
        return compiled(self.tree)
