"""How typed codes are read. Pure. The case of letters does not matter where it is plain."""

import re

from ecrf.kernel.text import T, Text
from ecrf.study.model import Code, ItemType, Question, Study, Words
from forms.numbers import narrow

SHOWN = 12
YES_NO = "ny"
_BUILT_IN = (
    Code(value="Y", label=Words(en="Yes", zh="是")),
    Code(value="N", label=Words(en="No", zh="否")),
)


def options(question: Question, study: Study) -> tuple[Code, ...]:
    """Return the codes a question may be answered with; yes/no without a list has Y and N."""
    name = question.codes or (YES_NO if question.type is ItemType.YES_NO else None)
    known = study.codelists.get(name) if name else None
    if known is not None:
        return known.codes
    return _BUILT_IN if question.type is ItemType.YES_NO else ()


def one(name: Text, typed: str, codes: tuple[Code, ...]) -> str | Text:
    """Read one code."""
    return _found(typed, codes) or _unknown(name, typed, codes)


def several(name: Text, typed: str, codes: tuple[Code, ...]) -> str | Text:
    """Read codes with commas between them; they are kept in the order of the list."""
    chosen = set()
    for part in re.split(r"[,;、，；]", typed):
        if part.strip():
            code = _found(part.strip(), codes)
            if code is None:
                return _unknown(name, part.strip(), codes)
            chosen.add(code)
    if not chosen:
        return _unknown(name, typed, codes)
    return ",".join(code.value for code in codes if code.value in chosen)


def _found(typed: str, codes: tuple[Code, ...]) -> str | None:
    values = [code.value for code in codes]
    text = narrow(typed)
    if text in values:
        return text
    alike = [value for value in values if value.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else None


def _unknown(name: Text, typed: str, codes: tuple[Code, ...]) -> Text:
    listed = ", ".join(code.value for code in codes[:SHOWN])
    return T(
        "{label}: “{text}” is none of its codes. Possible are {codes}.",
        label=name,
        text=typed[:40],
        codes=f"{listed}, …" if len(codes) > SHOWN else listed,
    )
