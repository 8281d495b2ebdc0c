"""The data dictionary: a line for every column of every data file, and the code lists. Pure."""

from collections.abc import Iterator, Sequence

from ecrf.study.model import Expression, Question, Study, Words
from reports.shape import Column, Table

HEADER = (
    "file", "column", "part", "form", "grid", "item", "label_en", "label_zh", "type", "codes",
    "unit", "units", "hard_low", "hard_high", "soft_low", "soft_high", "places", "required",
    "shown_when", "derived_from", "missing_reasons", "unknown_parts", "sdtm", "source",
    "note_en", "note_zh",
)  # fmt: skip
CODES_HEADER = ("list", "value", "label_en", "label_zh", "source")
MEANINGS = {
    "study": Words(en="Study", zh="研究"),
    "site": Words(en="Site", zh="中心"),
    "participant": Words(en="Code of the participant", zh="受试者编号"),
    "visit": Words(en="Visit, with its repeat number", zh="访视（含重复序号）"),
    "visit_date": Words(en="Date on which the visit was held", zh="实际访视日期"),
    "number": Words(en="Number of the form, from 1", zh="表格序号，从 1 起"),
    "entry": Words(en="Number of the entry in the ledger", zh="稽查轨迹中的条目编号"),
    "status": Words(
        en="draft, complete or not done", zh="draft 草稿，complete 完成，not done 未做"
    ),
    "version": Words(en="How often the entry was saved", zh="保存次数"),
    "definition": Words(
        en="First twelve signs of the definition's fingerprint", zh="方案定义指纹的前十二位"
    ),
    "signed": Words(en="Y: carries a signature that stands", zh="Y：签名有效"),
    "saved_at": Words(en="Time of the last save, UTC", zh="最后保存时间（UTC）"),
    "after_unblinding": Words(
        en="Y: first saved after the code of the participant was broken",
        zh="Y：该受试者揭盲之后才首次保存",
    ),
    "row": Words(en="Row of the grid", zh="表格行"),
    "row_label": Words(en="Label of the row", zh="行标签"),
}
PARTS = {
    "label": Words(en="label of the code", zh="代码标签"),
    "text": Words(en="as reported", zh="原始填报值"),
    "unit": Words(en="unit as reported", zh="原始填报单位"),
    "name": Words(en="name of the file; the value is its SHA-256", zh="文件名；值为其 SHA-256"),
    "missing": Words(en="reason why it is missing", zh="缺失原因"),
    "ref_low": Words(en="lower limit of the range it was judged by", zh="所用参考范围下限"),
    "ref_high": Words(en="upper limit of the range it was judged by", zh="所用参考范围上限"),
    "flag": Words(en="L, N or H by that range", zh="据该范围判定：L 偏低，N 正常，H 偏高"),
    "grade": Words(en="CTCAE grade proposed", zh="CTCAE 分级建议"),
}


def lines(tables: Sequence[Table]) -> Iterator[tuple[str, ...]]:
    """Yield the dictionary's lines in the order of the files and their columns."""
    for table in tables:
        for column in table.columns:
            yield _line(table, column)


def code_lines(study: Study) -> Iterator[tuple[str, ...]]:
    for name in sorted(study.codelists):
        for code in study.codelists[name].codes:
            yield (name, code.value, code.label.en, code.label.zh, code.source)


def _line(table: Table, column: Column) -> tuple[str, ...]:
    where = (
        f"data/{table.name}.csv",
        column.name,
        column.part,
        table.form.id,
        table.grid or "",
    )
    if column.question is None:
        meaning = MEANINGS[column.name]
        return (*where, "", meaning.en, meaning.zh, *("",) * (len(HEADER) - len(where) - 3))
    question = column.question
    label = _label(question, column.part)
    about = (
        _about(question) if column.part == "value" else ("",) * (len(HEADER) - len(where) - 3)
    )
    return (*where, question.id, label.en, label.zh, *about)


def _label(question: Question, part: str) -> Words:
    if part == "value":
        return question.label
    said = PARTS[part]
    return Words(en=f"{question.label.en} ({said.en})", zh=f"{question.label.zh}（{said.zh}）")


def _about(question: Question) -> tuple[str, ...]:
    hard, soft = question.limits.hard or ("", ""), question.limits.soft or ("", "")
    note = question.note
    return (
        question.type.value,
        question.codes or "",
        question.unit or "",
        "; ".join(f"{unit.name} x {unit.factor:f}" for unit in question.units[1:]),
        *(str(end) for end in hard),
        *(str(end) for end in soft),
        "" if question.places is None else str(question.places),
        _condition(question.require),
        "" if question.show is None else question.show.text,
        "" if question.derive is None else question.derive.text,
        " ".join(question.missing),
        question.unknown or "",
        question.sdtm or "",
        question.source,
        note.en if note else "",
        note.zh if note else "",
    )


def _condition(require: bool | Expression) -> str:
    if isinstance(require, Expression):
        return require.text
    return "always" if require else ""
