"""What a study says of a code break: who learns the answer, and what follows. Pure."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from ecrf.study.parts import Frozen, Id

Days = Annotated[int, Strict(), Field(ge=1, le=365)]


class Accidental(Frozen):
    """An entry of `form` whose `item` is `value` tells of an accidental unblinding."""

    form: Id
    item: Id
    value: str


class CodeBreak(Frozen):
    """`answer`: shown to the person who breaks the code, or sent to the holders of role `to`.

    `birth` is the item with the date of birth (`VISIT.form.item`), to compare a year with.
    `words` name the treatment in free text, beside arms and product, and are warned of.
    `assess_within` is the number of days within which the impact is to be assessed.
    """

    answer: Literal["shown", "sent"] = "shown"
    to: str = "unblinded safety officer"
    birth: str | None = None
    words: tuple[str, ...] = ()
    assess_within: Days = 7
    accidental: Accidental | None = None
