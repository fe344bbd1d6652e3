"""The content of a card as what stands on its pages.

Everything is told by its shape: the sections of the schema come first and in its order, but whatever else a card holds
is shown too, as labels and values. Lists of named values are tables, and metrics that are graphs are drawn.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html#model-cards-json-schema
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reportlab.platypus import HRFlowable, KeepTogether, Spacer

from clary.services.sagemaker.cards.charts import draw, is_number, number
from clary.services.sagemaker.cards.look import INDENT, RULE, WIDTH, pairs, paragraph, paragraphs, table

_UPPER = {"arn": "ARN", "id": "ID", "url": "URL", "uri": "URI", "json": "JSON", "api": "API", "kms": "KMS", "s3": "S3"}
_DEEPEST = 6
"""How deep what is in something is set in and labelled; below that it is shown as JSON."""
_LONGEST_CELL = 700
"""Characters; longer texts are not put into tables, whose rows do not go over pages."""
_LONGEST_BESIDE = 160
_LONGEST_TITLE = 255
_VALUE = {"name", "value", "notes", "type", "x_axis_name", "y_axis_name"}
_GRAPHS = ("bar_chart", "linear_graph", "matrix")


def label(name: str) -> str:
    """A member's name for people: ``model_artifact`` is “Model artifact”."""
    words = [_UPPER.get(word.lower(), word) for word in name.replace("_", " ").split()]
    text = " ".join(words)
    return _title(text[:1].upper() + text[1:])


def _title(text: str) -> str:
    """A text that stands above others, and may not fill a page; the schema's are far shorter."""
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"


def body(content: Any, sections: tuple[str, ...]) -> list[Any]:
    """All sections of a card's content, those named in ``sections`` first."""
    if not isinstance(content, Mapping):
        return list(_section("content", content))
    names = [name for name in sections if name in content]
    names += [name for name in content if name not in sections]
    return [each for name in names if not _is_empty(content[name]) for each in _section(name, content[name])]


def _section(name: str, value: Any) -> Iterator[Any]:
    yield paragraph(label(name), "section")
    yield HRFlowable(width="100%", thickness=0.8, color=RULE, spaceBefore=0, spaceAfter=4)
    yield from _value(value, 0)


def _value(value: Any, depth: int) -> Iterator[Any]:
    """What stands below a heading or a label."""
    if depth > _DEEPEST and isinstance(value, dict | list):
        yield from paragraphs(_text(value), "text", depth=depth)
    elif isinstance(value, dict):
        yield from _members(value, depth)
    elif isinstance(value, list):
        yield from _list(value, depth)
    else:
        yield from paragraphs(_text(value), "text", depth=depth)


def _members(members: Mapping[str, Any], depth: int) -> Iterator[Any]:
    short: list[tuple[str, str]] = []
    for name, value in members.items():
        if _is_empty(value):
            continue
        if _is_short(value):
            short.append((label(str(name)), _text(value)))
            continue
        if short:
            yield pairs(short, depth=depth)
            short = []
        yield paragraph(label(str(name)), "label", depth=depth)
        yield from _value(value, depth + 1 if isinstance(value, dict) else depth)
    if short:
        yield pairs(short, depth=depth)


def _is_short(value: Any) -> bool:
    """Whether a value can stand beside its label."""
    return not isinstance(value, dict | list) and len(text := _text(value)) <= _LONGEST_BESIDE and "\n" not in text


def _list(values: list[Any], depth: int) -> Iterator[Any]:
    if all(_is_named_value(each) for each in values):
        yield from _metrics(values, depth)
    elif all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in values):
        for each in values:
            yield paragraph(_title(each["name"]), "block", depth=depth)
            yield from _named(each, depth)
    else:
        for place, each in enumerate(values, 1):
            if isinstance(each, dict | list):
                yield paragraph(f"{place}.", "label", depth=depth)
                yield from _value(each, depth + 1)
            else:
                yield from paragraphs(_text(each), "item", depth=depth, bullet="•")


def _named(each: Mapping[str, Any], depth: int) -> Iterator[Any]:
    rest = {name: value for name, value in each.items() if name != "name" and not _is_empty(value)}
    if set(rest) == {"metric_data"}:
        # The group's name says all that a label would.
        yield from _value(rest["metric_data"], depth)
    else:
        yield from _members(rest, depth)


def _is_named_value(value: Any) -> bool:
    return isinstance(value, dict) and {"name", "value"} <= set(value) <= _VALUE


def _metrics(metrics: list[dict[str, Any]], depth: int) -> Iterator[Any]:
    """Named values: a table of those that are one number or text, then the graphs, then what is neither."""
    cells = [each for each in metrics if _fits_a_cell(each)]
    if cells:
        yield _metric_table(cells, depth)
    for each in metrics:
        if each not in cells:
            yield from _graph(each, depth)


def _fits_a_cell(metric: Mapping[str, Any]) -> bool:
    told = [metric["name"], metric["value"], metric.get("notes", "")]
    plain = all(not isinstance(each, dict | list) for each in told) and metric.get("type") not in _GRAPHS
    return plain and all(len(_text(each)) <= _LONGEST_CELL for each in told)


def _metric_table(metrics: list[dict[str, Any]], depth: int) -> Any:
    noted = any(metric.get("notes") for metric in metrics)
    indent = depth * INDENT
    widths = [WIDTH * 0.36 + indent, WIDTH * 0.24, WIDTH * 0.4 - indent] if noted else [WIDTH * 0.6, WIDTH * 0.4]
    rows = []
    for metric in metrics:
        value = metric["value"]
        row = [paragraph(_text(metric["name"]), "cell"), paragraph(_text(value), "cell")]
        rows.append([*row, paragraph(_text(metric.get("notes", "")), "cell")] if noted else row)
    return table(["Name", "Value", "Notes"] if noted else ["Name", "Value"], rows, widths, indent=indent)


def _graph(metric: dict[str, Any], depth: int) -> Iterator[Any]:
    title = paragraph(_title(_text(metric["name"])), "caption", depth=depth)
    drawn = draw(metric)
    if drawn is not None:
        yield KeepTogether([title, drawn])
    else:
        yield title
        yield from _value(metric["value"], depth)
        rest = {name: metric[name] for name in ("x_axis_name", "y_axis_name") if metric.get(name)}
        yield from _members(rest, depth)
    if metric.get("notes"):
        yield from paragraphs(_text(metric["notes"]), "note", depth=depth)
    yield Spacer(1, 4)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if is_number(value):
        return number(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "…"
