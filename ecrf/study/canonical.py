"""A study as the one text its fingerprint is taken of, and back.

What has its default value is left out, so that a key the program learns later does not change
the fingerprint of a study that does not use it; a default of the model may therefore never
change. Numbers are text. An expression is kept as written (`{"=": text}`) and parsed again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from ecrf.kernel import chain
from ecrf.study.expr import parse
from ecrf.study.model import Expression, Study

FORMULA = "="


def canonical(study: Study) -> str:
    """Return the JSON of a study: sorted keys, forms as a list in their order."""
    plain = _fields(study)
    plain["forms"] = [_plain(form) for form in study.forms.values()]
    return chain.canonical(plain)


def fingerprint(study: Study) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(study).encode()).hexdigest()


def from_canonical(text: str) -> Study:
    """Return the study whose canonical JSON `text` is."""
    plain = json.loads(text, object_hook=_formula)
    plain["forms"] = {form["id"]: form for form in plain["forms"]}
    return Study.model_validate(plain)


def _plain(value: object) -> object:
    match value:
        case Expression():
            return {FORMULA: value.text}
        case BaseModel():
            return _fields(value)
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case tuple():
            return [_plain(part) for part in value]
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
    return value


def _fields(value: BaseModel) -> dict[str, object]:
    return {
        field.alias or name: _plain(part)
        for name, field in type(value).model_fields.items()
        if (part := getattr(value, name)) != field.default
    }


def _formula(part: dict[str, object]) -> dict[str, object]:
    text = part.get(FORMULA)
    return {"text": text, "tree": parse(text)} if isinstance(text, str) else part
