"""The fonts of an exported card, and text as paragraphs take it, each character in a font that has it.

Open Sans (Apache licence, about 100 KB a style) comes with Clary and is embedded: Latin, Greek and Cyrillic. Arrows,
mathematical signs and ticks come from Symbol and ZapfDingbats, which every PDF reader has. Chinese, Japanese and Korean
are set in the fonts that PDF readers bring or ask for; they are not embedded, since each has many megabytes. Any other
character (emoji, scripts that run from right to left or need shaping) is shown as its code point: ``[U+1F600]``.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from xml.sax.saxutils import escape

import ttf_opensans
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "OpenSans"
BOLD = "OpenSans-SemiBold"
ITALIC = "OpenSans-Italic"
_SIGNS = (("Symbol", "symbol"), ("ZapfDingbats", "zapfdingbats"))
"""Fonts of signs, and the codecs that tell what they have."""
_MOST_UNKNOWN = 16
"""How many characters in a row that no font has are told."""
_CHINESE = "STSong-Light"
_JAPANESE = "HeiseiKakuGo-W5"
_KOREAN = "HYGothic-Medium"
_IDEOGRAPHS = ((0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))
_KANA = ((0x3040, 0x30FF),)
_HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))


@cache
def _covered() -> frozenset[int]:
    """The characters of Open Sans; the fonts are ready to be used after this."""
    faces = []
    for name, file in (
        (REGULAR, ttf_opensans.OPENSANS_REGULAR),
        (BOLD, ttf_opensans.OPENSANS_SEMIBOLD),
        (ITALIC, ttf_opensans.OPENSANS_ITALIC),
    ):
        font = TTFont(name, str(file.path))
        pdfmetrics.registerFont(font)
        faces.append(font.face.charToGlyph)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD)
    for name in (_CHINESE, _JAPANESE, _KOREAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(set.intersection(*map(set, faces)))


def markup(text: str) -> str:
    """``text`` as the markup of a paragraph in Open Sans; nothing in it is understood as markup."""
    parts = []
    for font, run in _runs(text):
        escaped = escape(run).replace("\n", "<br/>")
        parts.append(f'<font name="{font}">{escaped}</font>' if font else escaped)
    return "".join(parts)


def plain(text: str) -> tuple[str, str]:
    """The font for a text that can have one only, and the text as that font can show it."""
    runs = _runs(text)
    others = {font for font, _ in runs} - {""}
    if len(others) == 1 and (font := others.pop()) in (_CHINESE, _JAPANESE, _KOREAN):
        return font, text
    return REGULAR, "".join(run if not font else _code_points(run) for font, run in runs)


def breaks_anywhere(text: str) -> bool:
    """Whether lines of ``text`` may end between any two characters, since its words are not set apart."""
    return any(_within(ord(char), (*_IDEOGRAPHS, *_KANA)) for char in text)


def _runs(text: str) -> list[tuple[str, str]]:
    """The font's name (empty for Open Sans) and the text of each run."""
    covered = _covered()
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))
    # The same ideographs are written in three ways; what stands beside them tells which is meant.
    ideographs = _JAPANESE if any(_within(ord(char), _KANA) for char in text) else _CHINESE

    def font(char: str) -> str | None:
        code = ord(char)
        if char == "\n" or (code in covered and code >= 32):
            return ""
        if _within(code, _HANGUL):
            return _KOREAN
        if _within(code, (*_IDEOGRAPHS, *_KANA)):
            return ideographs
        return next((name for name, codec in _SIGNS if _has(codec, char)), None)

    # Marks that only say how to show their neighbours are nothing by themselves.
    chars = (char for char in text if unicodedata.category(char) != "Cf" and not 0xFE00 <= ord(char) <= 0xFE0F)
    found = [(name, "".join(run)) for name, run in groupby(chars, font)]
    return [(name or "", run if name is not None else _code_points(run)) for name, run in found]


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _has(codec: str, char: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _code_points(text: str) -> str:
    more = f"[{len(text) - _MOST_UNKNOWN} more]" if len(text) > _MOST_UNKNOWN else ""
    return "".join(f"[U+{ord(char):04X}]" for char in text[:_MOST_UNKNOWN]) + more
