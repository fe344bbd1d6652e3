"""A version of a model card as a PDF document.

The same card always gives the same bytes, so that an export which is done again changes nothing.
"""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Spacer, Table, TableStyle

from clary.services.sagemaker.cards.fonts import BOLD, plain
from clary.services.sagemaker.cards.look import (
    BADGES,
    FOOT,
    MARGIN,
    MUTED,
    PAGE,
    PALE,
    RULE,
    WHITE,
    WIDTH,
    paragraph,
)
from clary.services.sagemaker.cards.sections import body


@dataclass(frozen=True)
class Card:
    """What is to be shown; times are seconds since the epoch."""

    name: str
    arn: str
    version: int
    status: str
    content: str
    created: float
    created_by: str
    modified: float
    modified_by: str
    exported: float


def render(card: Card, sections: tuple[str, ...]) -> bytes:
    """The document, with the sections in this order and others after them. Not for two threads at once.

    Raises ``reportlab.platypus.doctemplate.LayoutError`` if something on it is larger than a page.
    """
    try:
        content = json.loads(card.content)
    except (ValueError, RecursionError):
        # Test mode keeps contents that are none; they are shown as they are.
        content = card.content
    target = io.BytesIO()
    document = BaseDocTemplate(
        target,
        pagesize=PAGE,
        title=f"Model card {card.name}, version {card.version}",
        author=card.modified_by,
        subject=card.arn,
        creator="Clary",
        lang="en",
        invariant=1,
    )
    frame = Frame(MARGIN, FOOT, WIDTH, PAGE[1] - MARGIN - FOOT, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame]))
    document.build([*_head(card, content), *body(content, sections)], canvasmaker=lambda *a, **k: _Pages(card, *a, **k))
    return target.getvalue()


class _Pages(Canvas):  # type: ignore[misc]
    """Pages whose feet tell how many there are, which is known at the end only."""

    def __init__(self, card: Card, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._card = card
        self._finished: list[dict[str, Any]] = []
        # The document is as old as the order to make it, whenever that was carried out.
        moment = time.gmtime(card.exported)
        self._doc._timeStamp.t, self._doc._timeStamp.lt = card.exported, moment
        self._doc._timeStamp.YMDhms = tuple(moment)[:6]

    def showPage(self) -> None:
        """Keep the page until all are there."""
        self._finished.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all pages."""
        for place, page in enumerate(self._finished, 1):
            self.__dict__.update(page)
            self._foot(place, len(self._finished))
            super().showPage()
        super().save()

    def _foot(self, place: int, count: int) -> None:
        self.setStrokeColor(RULE)
        self.setLineWidth(0.5)
        self.line(MARGIN, FOOT - 14, PAGE[0] - MARGIN, FOOT - 14)
        self.setFillColor(MUTED)
        font, text = plain(f"{self._card.name} · version {self._card.version} · {_spaced(self._card.status)}")
        self.setFont(font, 8)
        self.drawString(MARGIN, FOOT - 26, text)
        self.drawRightString(PAGE[0] - MARGIN, FOOT - 26, f"Page {place} of {count}")


def _head(card: Card, content: Any) -> list[Any]:
    """Title, status, and a table of what is known of the version."""
    risk = _risk(content)
    badges = [(_spaced(card.status), card.status)] + ([(f"{risk} risk", risk)] if risk not in ("", "Unknown") else [])
    facts = [
        ("Version", str(card.version)),
        ("Created", f"{_time(card.created)}{_by(card.created_by)}"),
        ("Last modified", f"{_time(card.modified)}{_by(card.modified_by)}"),
        ("Exported", _time(card.exported)),
        ("ARN", card.arn),
    ]
    rows = [[paragraph(name, "head"), paragraph(value, "cell")] for name, value in facts]
    known = Table(rows, [92, WIDTH - 92], hAlign="LEFT", spaceBefore=8)
    known.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), PALE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
                ("LEFTPADDING", (0, 0), (0, -1), 8),
            ]
        )
    )
    return [
        paragraph("MODEL CARD", "kind"),
        paragraph(card.name, "title"),
        Spacer(1, 4),
        _badges(badges),
        known,
    ]


def _badges(badges: list[tuple[str, str]]) -> Any:
    """Short words on coloured ground, side by side; each is a table of its own, so that each has round corners."""
    parts, widths = [], []
    for text, key in badges:
        width = stringWidth(text, BOLD, 8.5) + 18
        style = [
            ("FONT", (0, 0), (-1, -1), BOLD, 8.5),
            ("TEXTCOLOR", (0, 0), (-1, -1), WHITE),
            ("BACKGROUND", (0, 0), (-1, -1), BADGES.get(key, MUTED)),
            ("ALIGN", (0, 0), (-1, -1), "CENTER"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ("ROUNDEDCORNERS", [4, 4, 4, 4]),
        ]
        parts.append(Table([[text]], [width], style=TableStyle(style)))
        widths.append(width + 6)
    row = Table([[*parts, ""]], [*widths, WIDTH - sum(widths)], hAlign="LEFT", spaceAfter=8)
    row.setStyle(TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6)]))
    return row


def _risk(content: Any) -> str:
    uses = content.get("intended_uses") if isinstance(content, dict) else None
    risk = uses.get("risk_rating") if isinstance(uses, dict) else None
    return risk if risk in ("Low", "Medium", "High", "Unknown") else ""


def _spaced(status: str) -> str:
    """“Pending review” of ``PendingReview``."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda capital: f" {capital[0].lower()}", status)


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _by(whom: str) -> str:
    return f" by {whom}" if whom else ""
