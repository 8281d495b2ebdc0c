"""Strata: how the levels of the stratification factors are named together. Pure.

The name of a stratum is the same where participants are randomized and where the list is made.
"""

import json
from collections.abc import Mapping
from itertools import product

from ecrf.study.model import Factor, Study, Words


def levels(study: Study, factor: Factor) -> tuple[str, ...]:
    """Return the values the factor can have."""
    if factor.from_ == "site":
        return tuple(site.code for site in study.sites)
    return tuple(level.value for level in factor.levels)


def name(values: Mapping[str, str]) -> str:
    """Return the name of the stratum in which each factor id has its value."""
    return "|".join(f"{factor}={value}" for factor, value in values.items()) or "all"


def names(study: Study) -> tuple[str, ...]:
    """Return every stratum of the study, in the order of its factors and their levels."""
    factors = study.randomization.factors if study.randomization else ()
    return tuple(
        name({factor.id: value for factor, value in zip(factors, values, strict=True)})
        for values in product(*(levels(study, factor) for factor in factors))
    )


def parsed(stratum: str) -> dict[str, str]:
    """Return the level of each factor in the name of a stratum."""
    parts = (part.partition("=") for part in stratum.split("|") if "=" in part)
    return {factor: value for factor, _, value in parts}


def under(receipt: str | None) -> dict[str, str]:
    """Return the level of each factor on a receipt as stored; empty without one."""
    if not receipt:
        return {}
    return parsed(json.loads(receipt.partition("\n")[0])["stratum"])


def said(study: Study, factor_id: str, value: str) -> Words:
    """Return a level as people read it: the label of its code, or the code of the site."""
    factors = study.randomization.factors if study.randomization else ()
    levels = next((factor.levels for factor in factors if factor.id == factor_id), ())
    label = next((code.label for code in levels if code.value == value), None)
    return label or Words(en=value, zh=value)
