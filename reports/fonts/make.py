"""Make the two fonts of the documents from Debian's Noto Sans CJK. For maintainers only.

    pip install fonttools && apt-get install fonts-noto-cjk && python reports/fonts/make.py

reportlab embeds TrueType outlines only, so the Simplified Chinese face is cut down to GB 2312
and Latin and its curves are turned into quadratic ones. Superscripts and subscripts it lacks
(10⁹/L, SpO₂) are made from its digits. Boxes to tick are missing: draw them. The output is the
same every time.
"""

from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, newTable

SOURCE = Path("/usr/share/fonts/opentype/noto")
FACE = "Noto Sans CJK SC"
RANGES = (
    range(0x20, 0x7F),  # ASCII
    range(0xA0, 0x180),  # Latin-1 and Latin Extended-A: ± µ ² ³ ¹ × · °
    range(0x370, 0x400),  # Greek
    range(0x2010, 0x2040),  # – — ‘ ’ “ ” • … ‰
    range(0x2070, 0x20A0),  # superscripts and subscripts: ⁹
    range(0x2100, 0x2150),  # ℃ № ™
    range(0x2150, 0x2190),  # ½ Ⅰ Ⅱ
    range(0x2190, 0x2200),  # → ←
    range(0x2200, 0x2300),  # ≤ ≥ ≠ ≈ −
    range(0x2460, 0x2500),  # ① ②
    range(0x25A0, 0x2600),  # ■ □ ● ○ ▲
    range(0x2700, 0x27C0),  # ✓ ✗, as far as the face has them
    range(0x3000, 0x3020),  # 、。《》
    range(0xFF00, 0xFFF0),  # full-width signs
)
MOST_ERROR = 1.0
RAISED = dict(zip("⁰⁴⁵⁶⁷⁸⁹⁻", "0456789−", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
"""Superscripts and subscripts the face lacks, and what each is the small form of."""

DROP = -120

EPOCH = 3786825600
"""A constant time for the font's head table: 1 January 2024, counted from 1904."""


def main() -> None:
    for weight in ("Regular", "Bold"):
        font = _face(SOURCE / f"NotoSansCJK-{weight}.ttc")
        _cut(font, _characters())
        _to_truetype(font)
        _add_small_digits(font)
        font["head"].created = font["head"].modified = EPOCH
        font.recalcTimestamp = False
        path = Path(__file__).parent / f"NotoSansSC-{weight}.ttf"
        font.save(path, reorderTables=True)
        print(path.name, path.stat().st_size, len(font.getGlyphOrder()), "glyphs")  # noqa: T201


def _face(path: Path) -> Any:
    fonts = TTCollection(str(path)).fonts
    return next(font for font in fonts if font["name"].getDebugName(1).startswith(FACE))


def _characters() -> set[int]:
    """Return GB 2312 (all 94 × 94 places that are taken) and `RANGES`."""
    places = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    chinese = {ord(sign) for place in places for sign in place.decode("gb2312", "ignore")}
    return chinese | {code for part in RANGES for code in part}


def _cut(font: Any, characters: set[int]) -> None:
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True,
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
        drop_tables=["BASE", "GPOS", "GSUB", "GDEF", "vhea", "vmtx", "VORG", "DSIG"],
    )  # fmt: skip
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)


def _to_truetype(font: Any) -> None:
    """Replace the cubic outlines by quadratic ones, within one unit of a thousand."""
    glyphs = font.getGlyphSet()
    order = font.getGlyphOrder()
    outlines = newTable("glyf")
    outlines.glyphOrder = order
    outlines.glyphs = {name: _outline(glyphs, name) for name in order}
    font["loca"] = newTable("loca")
    font["glyf"] = outlines
    for tag in ("CFF ", "VORG"):
        if tag in font:
            del font[tag]
    _sizes(font, outlines)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def _outline(glyphs: Any, name: str) -> Any:
    pen = TTGlyphPen(glyphs)
    glyphs[name].draw(Cu2QuPen(pen, MOST_ERROR, reverse_direction=True))
    return pen.glyph()


def _add_small_digits(font: Any) -> None:
    """Add `RAISED`, as small and as high as the face's own ², and `LOWERED`."""
    cmap, outlines = font.getBestCmap(), font["glyf"]
    normal, small = outlines[cmap[ord("2")]], outlines[cmap[ord("²")]]
    scale = (small.yMax - small.yMin) / (normal.yMax - normal.yMin)
    lift = small.yMax - normal.yMax * scale
    for signs, height in ((RAISED, lift), (LOWERED, DROP)):
        for sign, plain in signs.items():
            if ord(sign) not in cmap:
                _add_small(font, sign, cmap[ord(plain)], (scale, 0, 0, scale, 0, height))
    font.setGlyphOrder(outlines.glyphOrder)
    font["maxp"].recalc(font)


def _add_small(font: Any, sign: str, source: str, change: tuple[float, ...]) -> None:
    outlines, name = font["glyf"], f"uni{ord(sign):04X}"
    pen = TTGlyphPen(None)
    font.getGlyphSet()[source].draw(TransformPen(pen, change))
    outlines[name] = glyph = pen.glyph()
    glyph.recalcBounds(outlines)
    font["hmtx"][name] = (round(font["hmtx"][source][0] * change[0]), glyph.xMin)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord(sign)] = name


def _sizes(font: Any, outlines: Any) -> None:
    """Write the tables that TrueType outlines need beside them."""
    for name, glyph in outlines.glyphs.items():
        glyph.recalcBounds(outlines)
        advance, _bearing = font["hmtx"][name]
        font["hmtx"][name] = (advance, getattr(glyph, "xMin", 0))
    most = font["maxp"]
    most.tableVersion = 0x00010000
    for field in (
        "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
        "maxStackElements", "maxSizeOfInstructions", "maxComponentElements",
        "maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours",
        "maxComponentDepth",
    ):  # fmt: skip
        setattr(most, field, 0)
    most.maxZones = 1
    most.recalc(font)
    font["head"].glyphDataFormat = 0


if __name__ == "__main__":
    main()
