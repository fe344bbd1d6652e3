"""The graphs of a card's metrics: bars, lines, and matrices as shaded tables.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html#model-cards-json-schema
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing, String
from reportlab.graphics.widgets.markers import makeMarker
from reportlab.lib.colors import linearlyInterpolatedColor
from reportlab.platypus import Table, TableStyle

from clary.services.sagemaker.cards.fonts import REGULAR, plain
from clary.services.sagemaker.cards.look import ACCENT, INK, MUTED, RULE, SERIES, WHITE, WIDTH, paragraph, small

HEIGHT = 170.0
"""Points of a graph's height, without the names of its axes."""
MOST_BARS = 120
"""With more, bars are too thin to be seen."""
MOST_COLUMNS = 20
"""As the schema allows a matrix."""
_LEFT = 52.0
_SHADE = 0.55
"""How much of the colour the highest value of a matrix gets, so that its number can be read."""


def is_number(value: Any) -> bool:
    """Whether a value can be drawn."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e300
    )


def number(value: float) -> str:
    """A number as it is written in tables: all that tells it from its neighbours, and no more."""
    return str(value) if isinstance(value, int) else f"{value:.10g}"


def draw(metric: dict[str, Any]) -> Any:
    """The graph of a metric, or ``None`` if its value is not what its type says."""
    value = metric.get("value")
    if not isinstance(value, list) or not value:
        return None
    x, y = metric.get("x_axis_name"), metric.get("y_axis_name")
    match metric.get("type"):
        case "bar_chart" if all(map(is_number, value)) and len(value) <= MOST_BARS:
            return _bars(value, x, y)
        case "linear_graph" if all(_is_point(each) for each in value):
            return _lines([value], x, y)
        case "linear_graph" if all(isinstance(each, list) and each and all(map(_is_point, each)) for each in value):
            return _lines(value, x, y)
        case "matrix" if _is_matrix(value):
            return _matrix(value, x, y)
    return None


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def _is_matrix(value: list[Any]) -> bool:
    rows = all(isinstance(row, list) and row and all(map(is_number, row)) for row in value)
    return rows and len({len(row) for row in value}) == 1 and len(value[0]) <= MOST_COLUMNS


def _bars(values: list[float], x: Any, y: Any) -> Any:
    names = [str(each) for each in x] if isinstance(x, list) and len(x) == len(values) else None
    labels = names or [str(place) for place in range(1, len(values) + 1)]
    chart = VerticalBarChart()
    chart.data = [tuple(values)]
    chart.bars[0].fillColor = ACCENT
    chart.bars[0].strokeColor = None
    chart.groupSpacing = 6 if len(values) <= 20 else 1
    # Only as many names as can stand side by side.
    step = math.ceil(len(labels) / 24)
    shown = [_short(label, 18) if not place % step else "" for place, label in enumerate(labels)]
    font, _ = plain("".join(shown))
    chart.categoryAxis.categoryNames = [plain(label)[1] for label in shown]
    slanted = max(map(len, shown)) * len(values) / step > 90
    # Below the graph, also where bars go down from the axis.
    chart.categoryAxis.labelAxisMode = "low"
    style = chart.categoryAxis.labels
    style.fontName, style.fontSize, style.fillColor = font, 7, INK
    style.angle, style.boxAnchor, style.dy = (32, "ne", -2) if slanted else (0, "n", -3)
    if len(values) <= 16:
        chart.barLabelFormat = lambda value: f"{value:.4g}"
        chart.barLabels.fontName, chart.barLabels.fontSize, chart.barLabels.fillColor = REGULAR, 6.5, MUTED
        chart.barLabels.nudge = 6
    _scale(chart.valueAxis, [0.0, *values])
    return _framed(chart, 62.0 if slanted else 20.0, x if isinstance(x, str) else "", y)


def _lines(series: list[list[list[float]]], x: Any, y: Any) -> Any:
    chart = LinePlot()
    chart.data = [[tuple(point) for point in sorted(line)] for line in series]
    for place, line in enumerate(series):
        chart.lines[place].strokeColor = SERIES[place % len(SERIES)]
        chart.lines[place].strokeWidth = 1.4
        if len(line) <= 40:
            chart.lines[place].symbol = makeMarker("FilledCircle", size=3)
    _scale(chart.xValueAxis, [point[0] for line in series for point in line])
    _scale(chart.yValueAxis, [point[1] for line in series for point in line])
    return _framed(chart, 20.0, x, y)


def _matrix(rows: list[list[float]], x: Any, y: Any) -> Any:
    columns = len(rows[0])
    across = [str(each) for each in x] if isinstance(x, list) and len(x) == columns else []
    down = [str(each) for each in y] if isinstance(y, list) and len(y) == len(rows) else []
    lowest, highest = min(map(min, rows)), max(map(max, rows))
    size = small(min(8.5, 90 / columns))

    def words(text: str, bold: bool = False) -> Any:
        made = paragraph(_short(text, 40), "head" if bold else "number")
        made.style = made.style.clone("matrix", fontSize=size, leading=size * 1.3, alignment=1)
        return made

    cells = [[words(number(value)) for value in row] for row in rows]
    if down:
        cells = [[words(name, True), *row] for name, row in zip(down, cells, strict=True)]
    if across:
        cells.insert(0, [words(name, True) for name in ([""] if down else []) + across])
    first_row, first_column = int(bool(across)), int(bool(down))
    styles: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ("INNERGRID", (first_column, first_row), (-1, -1), 0.4, WHITE),
        ("BOX", (first_column, first_row), (-1, -1), 0.4, RULE),
    ]
    for line, row in enumerate(rows):
        for place, value in enumerate(row):
            part = (value - lowest) / (highest - lowest) if highest > lowest else 0.0
            shade = linearlyInterpolatedColor(WHITE, ACCENT, 0, 1, _SHADE * part)
            at = (place + first_column, line + first_row)
            styles.append(("BACKGROUND", at, at, shade))
    beside = 90.0 if down else 0.0
    widths = [beside] * first_column + [min((WIDTH - beside) / columns, 60.0)] * columns
    return Table(
        cells, widths, style=TableStyle(styles), hAlign="LEFT", spaceBefore=3, spaceAfter=6, repeatRows=first_row
    )


def _framed(chart: Any, below: float, x: Any, y: Any) -> Any:
    """A drawing of the chart, with ``below`` points for what stands under its axis, and the names of its axes."""
    x_name, y_name = (_short(str(name), 90) if name else "" for name in (x, y))
    foot = below + (14.0 if x_name else 0.0)
    drawing = Drawing(WIDTH, HEIGHT + foot, hAlign="LEFT")
    chart.x, chart.y = _LEFT, foot
    chart.width, chart.height = WIDTH - _LEFT - 16, HEIGHT - (26.0 if y_name else 12.0)
    drawing.add(chart)
    if y_name:
        drawing.add(_string(_LEFT - 30, foot + HEIGHT - 10, y_name, "start"))
    if x_name:
        drawing.add(_string(_LEFT + chart.width / 2, 3, x_name, "middle"))
    return drawing


def _string(x: float, y: float, text: str, anchor: str) -> Any:
    font, shown = plain(text)
    return String(x, y, shown, fontName=font, fontSize=7.5, fillColor=MUTED, textAnchor=anchor)


def _scale(axis: Any, values: Sequence[float]) -> None:
    """Give an axis round steps that hold all values."""
    steps = round_steps(min(values), max(values))
    axis.valueMin, axis.valueMax, axis.valueSteps = steps[0], steps[-1], steps
    axis.labelTextFormat = lambda value: f"{value:.6g}"
    axis.labels.fontName, axis.labels.fontSize, axis.labels.fillColor = REGULAR, 7, INK
    axis.strokeColor = MUTED
    axis.strokeWidth = 0.6
    if hasattr(axis, "gridStrokeColor"):
        axis.visibleGrid = True
        axis.gridStrokeColor, axis.gridStrokeWidth = RULE, 0.4


def round_steps(lowest: float, highest: float) -> list[float]:
    """About four to ten round numbers at equal distances, from at most ``lowest`` to at least ``highest``."""
    span = highest - lowest
    if span <= max(abs(lowest), abs(highest)) * 1e-9:
        span = abs(highest) or 1.0
        lowest, highest = lowest - span / 2, highest + span / 2
        span = highest - lowest
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
