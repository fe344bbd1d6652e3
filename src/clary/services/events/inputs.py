"""What a target is sent of an event: the event itself, a part of it, a text that is always the same, or a template
with parts of it.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from clary.core.errors import ValidationException

_KINDS = ("Input", "InputPath", "InputTransformer")
_STEP = re.compile(r"""\.([A-Za-z0-9_/-]+|\*)|\[(\d+|\*)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_RESERVED = frozenset(
    (
        *("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time"),
        *("aws.events.event", "aws.events.event.json"),
    )
)
_MISSING = object()


def check_input(target: Mapping[str, Any]) -> None:
    """Check what a target shall be sent. Raises ``ValidationException``."""
    name = target["Id"]
    if sum(kind in target for kind in _KINDS) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if "Input" in target and not _is_json(target["Input"]):
        raise ValidationException(f"Parameter Input is not valid for target {name}. Reason: it is not valid JSON.")
    if "InputPath" in target:
        _check_path(target["InputPath"], name)
    if "InputTransformer" in target:
        _check_transformer(target["InputTransformer"], name)


def _check_path(path: str, name: str) -> None:
    try:
        _steps(path)
    except ValueError:
        raise ValidationException(f"Invalid JSON path {path} in target {name}.") from None


def _check_transformer(transformer: Mapping[str, Any], name: str) -> None:
    paths, template = transformer.get("InputPathsMap", {}), transformer["InputTemplate"]
    for variable, path in paths.items():
        if variable.upper().startswith("AWS."):
            raise ValidationException(f"InputPathsMap of target {name} must not name variables that start with AWS.")
        _check_path(path, name)
    for variable in _PLACEHOLDER.findall(template):
        if variable not in paths and variable not in _RESERVED:
            raise ValidationException(
                f"Invalid InputTemplate for target {name} : it uses <{variable}>, which InputPathsMap does not define."
            )
    # With something in place of every variable, a template that means to be JSON must be JSON.
    if _is_structured(template) and not _is_json("".join(_filled(template, dict.fromkeys((*paths, *_RESERVED), 0)))):
        raise ValidationException(f"Invalid InputTemplate for target {name} : it is not valid JSON.")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_structured(template: str) -> bool:
    return template.lstrip()[:1] in ("{", "[")


def rendered(target: Mapping[str, Any], event: Mapping[str, Any], rule: tuple[str, str], received: str) -> str:
    """The text that a target is sent of an event; ``rule`` is the ARN and the name of the rule that it was for."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        value = at(target["InputPath"], event)
        return _dumped(None if value is _MISSING else value)
    if "InputTransformer" not in target:
        return _dumped(event)
    transformer = target["InputTransformer"]
    values = {name: at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule[0],
        "aws.events.rule-name": rule[1],
        "aws.events.event.ingestion-time": received,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    return "".join(_filled(transformer["InputTemplate"], values))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _filled(template: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The pieces of a template with its variables filled in: within quotes as text, elsewhere as JSON, and as bare
    text where the template is none."""
    structured, quoted, position = _is_structured(template), False, 0
    for match in _PLACEHOLDER.finditer(template):
        before = template[position : match.start()]
        yield before
        quoted = quoted ^ _changes_quotes(before)
        position = match.end()
        if match[1] not in values:
            yield match[0]
            continue
        value = values[match[1]]
        if value is _MISSING:
            yield '""' if structured and not quoted else ""
        elif isinstance(value, str):
            text = json.dumps(value, ensure_ascii=False)
            yield text if structured and not quoted else text[1:-1] if quoted else value
        else:
            text = _dumped(value)
            yield json.dumps(text, ensure_ascii=False)[1:-1] if quoted and structured else text
    yield template[position:]


def _changes_quotes(text: str) -> bool:
    """Whether one is inside a string behind ``text`` and was not before it, or the other way round."""
    return re.sub(r"\\.", "", text, flags=re.DOTALL).count('"') % 2 == 1


def at(path: str, event: Any) -> Any:
    """What stands at a JSON path, or ``_MISSING``; a wildcard gives a list."""
    found, several = [event], False
    for step in _steps(path):
        if step == "*":
            several = True
            found = [inner for value in found for inner in _inside(value)]
        else:
            found = [value[step] for value in found if _has(value, step)]
    if several:
        return found
    return found[0] if found else _MISSING


def _steps(path: str) -> list[str | int]:
    """The names and positions that a path leads through. Raises ``ValueError`` for what is no path."""
    if not path.startswith("$"):
        raise ValueError(path)
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(path)
        if match[2] is not None:
            steps.append(match[2] if match[2] == "*" else int(match[2]))
        else:
            steps.append(next(part for part in (match[1], match[3], match[4]) if part is not None))
        position = match.end()
    return steps


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and step < len(value)
    return isinstance(value, dict) and step in value
