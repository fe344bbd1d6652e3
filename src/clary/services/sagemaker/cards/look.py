"""What an exported card looks like: sizes, colours, styles of text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from textwrap import wrap
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph, Table, TableStyle

from clary.services.sagemaker.cards.fonts import BOLD, REGULAR, breaks_anywhere, markup

PAGE = A4
MARGIN = 54.0
"""Points left of, right of, and above the text."""
FOOT = 62.0
"""Points below it."""
WIDTH = PAGE[0] - 2 * MARGIN

INK = HexColor("#1a2433")
MUTED = HexColor("#5d6b7d")
RULE = HexColor("#d6dde6")
PALE = HexColor("#f3f6f9")
WHITE = HexColor("#ffffff")
ACCENT = HexColor("#0f766e")
SERIES = tuple(map(HexColor, ("#0f766e", "#b45309", "#4338ca", "#be123c", "#4d7c0f", "#0369a1")))
"""The colours of the lines of a graph, one after the other."""
BADGES: dict[str, Color] = {
    "Approved": HexColor("#15803d"),
    "PendingReview": HexColor("#b45309"),
    "Archived": HexColor("#64748b"),
    "Draft": HexColor("#475569"),
    "Low": HexColor("#15803d"),
    "Medium": HexColor("#b45309"),
    "High": HexColor("#b91c1c"),
}
"""The colours of statuses and risk ratings."""

INDENT = 12.0
_SMALLEST = 5.5
_LONGEST = 2000
_MOST_LINES = 20
"""Characters and lines of one paragraph."""
_BESIDE = 160.0
"""Points for the names of short values."""


@cache
def style(name: str, *, depth: int = 0, anywhere: bool = False) -> Any:
    """A style of text; ``depth`` says how deep it is set in, ``anywhere`` that its lines may end between characters."""
    settings = {
        "title": {"fontName": BOLD, "fontSize": 22, "leading": 28},
        "kind": {"fontName": BOLD, "fontSize": 8.5, "leading": 12, "textColor": ACCENT},
        "section": {
            "fontName": BOLD,
            "fontSize": 14,
            "leading": 18,
            "spaceBefore": 18,
            "spaceAfter": 3,
            "keepWithNext": 1,
        },
        "block": {
            "fontName": BOLD,
            "fontSize": 11,
            "leading": 15,
            "spaceBefore": 10,
            "spaceAfter": 2,
            "keepWithNext": 1,
        },
        "label": {
            "fontName": BOLD,
            "fontSize": 8.5,
            "leading": 12,
            "textColor": MUTED,
            "spaceBefore": 6,
            "keepWithNext": 1,
        },
        "name": {"fontName": BOLD, "fontSize": 8.5, "leading": 13.5, "textColor": MUTED},
        "text": {"fontSize": 9.5, "leading": 13.5, "spaceAfter": 2},
        "item": {"fontSize": 9.5, "leading": 13.5, "bulletIndent": 2, "bulletFontName": REGULAR, "bulletFontSize": 9.5},
        "cell": {"fontSize": 8.5, "leading": 11.5},
        "number": {"fontSize": 8.5, "leading": 11.5, "alignment": 2},
        "head": {"fontName": BOLD, "fontSize": 8, "leading": 11, "textColor": MUTED},
        "caption": {
            "fontName": BOLD,
            "fontSize": 9,
            "leading": 12,
            "spaceBefore": 8,
            "spaceAfter": 2,
            "keepWithNext": 1,
        },
        "note": {"fontSize": 8.5, "leading": 11.5, "textColor": MUTED, "spaceAfter": 4},
    }[name]
    own: dict[str, Any] = {"fontName": REGULAR, "textColor": INK, "splitLongWords": 1, **settings}
    own["leftIndent"] = depth * INDENT + (INDENT if name == "item" else 0)
    own["bulletIndent"] = own.get("bulletIndent", 0) + depth * INDENT
    return ParagraphStyle(f"{name}-{depth}-{anywhere}", wordWrap="CJK" if anywhere else None, **own)


def paragraph(text: str, name: str, *, depth: int = 0, bullet: str | None = None) -> Any:
    """A text in one of the styles; long words are broken, and nothing in the text is taken for markup."""
    return Paragraph(markup(text), style(name, depth=depth, anywhere=breaks_anywhere(text)), bulletText=bullet)


def paragraphs(text: str, name: str, *, depth: int = 0, bullet: str | None = None) -> Iterator[Any]:
    """A text of any length: the time that one paragraph takes grows with the square of its pages."""
    lines: list[str] = []
    size = 0
    for line in text.splitlines():
        for piece in wrap(line, _LONGEST, break_on_hyphens=False, drop_whitespace=False) or [""]:
            if lines and (len(lines) == _MOST_LINES or size + len(piece) > _LONGEST):
                yield paragraph("\n".join(lines), name, depth=depth, bullet=bullet)
                lines, size, bullet = [], 0, None
            lines.append(piece)
            size += len(piece)
    yield paragraph("\n".join(lines), name, depth=depth, bullet=bullet)


def table(head: list[str], rows: list[list[Any]], widths: list[float], *, indent: float = 0.0) -> Any:
    """A table whose head is repeated on every page; cells are texts or paragraphs."""
    cells = [[paragraph(each, "head") for each in head], *rows]
    made = Table(cells, widths, repeatRows=1, hAlign="LEFT", spaceBefore=3, spaceAfter=6)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, RULE),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, RULE),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
                ("LEFTPADDING", (0, 0), (0, -1), indent),
            ]
        )
    )
    return made


def pairs(rows: list[tuple[str, str]], *, depth: int = 0) -> Any:
    """Names and short values beside each other."""
    indent = depth * INDENT
    cells = [[paragraph(name, "name"), paragraph(value, "text")] for name, value in rows]
    made = Table(cells, [_BESIDE, WIDTH - _BESIDE], hAlign="LEFT", spaceBefore=4, spaceAfter=2)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
                ("LEFTPADDING", (0, 0), (0, -1), indent),
                ("RIGHTPADDING", (1, 0), (1, -1), 0),
            ]
        )
    )
    return made


def small(size: float) -> float:
    """``size``, or the smallest that can be read."""
    return max(size, _SMALLEST)
