"""What a study allows those who sign. Pure."""

from typing import Annotated

from pydantic import Field, Strict

from ecrf.study.parts import Frozen


class Signing(Frozen):
    """`pin`: from the second signature of a session on, a PIN may stand for the password."""

    pin: Annotated[bool, Strict(), Field(description="Sign again with a PIN.")] = False
