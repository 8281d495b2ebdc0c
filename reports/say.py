"""How answers read on paper: labels for codes, units, reasons of missing values. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from ecrf.kernel.text import T
from ecrf.study.model import Cell, ItemType, Question, Study
from forms.files import naming
from reports.shape import CODED, YES_NO

DATES = frozenset({ItemType.DATE, ItemType.PARTIAL_DATE})


def answer(study: Study, question: Question, given: Mapping[str, str], locale: str) -> str:
    """Return an answer as people read it; empty when there is none."""
    if given.get("missing"):
        code = given["missing"]
        return f"— {_label(study, study.missing_reasons, code, locale)} ({code})"
    value = given.get("value", "")
    if not value:
        return ""
    if question.type in CODED:
        return _coded(study, question, value, locale)
    if question.type is ItemType.FILE:
        return naming.short(given.get("text", value))
    if question.units:
        return _measured(question, given, locale)
    if question.type in DATES and given.get("text", value) != value:
        return f"{value} ({given['text']})"
    return value


def called(cell: Cell, locale: str) -> str:
    """Return the cell's label, after its row's."""
    label = cell.question.label.in_(locale)
    return label if cell.row is None else f"{cell.row.label.in_(locale)}: {label}"


def moment(at: datetime, zone: str) -> str:
    """Return an instant in a zone, with its name and offset."""
    local = at.astimezone(ZoneInfo(zone))
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S} ({zone}, UTC{offset[:3]}:{offset[3:]})"


def day(value: date | None, locale: str) -> str:
    if value is None:
        return ""
    if locale == "zh":
        return format_date(value, "y年M月d日", locale="zh")
    return format_date(value, "dd-MMM-y", locale="en")


def _coded(study: Study, question: Question, value: str, locale: str) -> str:
    codes = value.split(",") if question.type is ItemType.CHOICES else [value]
    labels = [_label(study, question.codes or YES_NO, code, locale) for code in codes]
    return "; ".join(f"{label} ({code})" for label, code in zip(labels, codes, strict=True))


def _label(study: Study, codelist: str, code: str, locale: str) -> str:
    known = study.codelists.get(codelist)
    label = known.label(code) if known else None
    if label is None:
        plain = {"Y": T("Yes"), "N": T("No")}
        return plain[code].in_(locale) if code in plain else code
    return label.in_(locale)


def _measured(question: Question, given: Mapping[str, str], locale: str) -> str:
    value = f"{given['value']} {question.unit}"
    reported = f"{given.get('text', '')} {given.get('unit') or question.unit}"
    if reported == value:
        return value
    return T("{value} (reported: {text})", value=value, text=reported).in_(locale)
