"""The constraints of the service model, with the wording of AWS's servers (botocore's own client-side wording is
another one).

Reference: https://smithy.io/2.0/spec/constraint-traits.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clary.core.errors import ServiceError, ValidationError, ValidationException
from clary.wire.constraints import fits
from clary.wire.patterns import matches
from clary.wire.timestamps import epoch_seconds

_PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern"
MAX_REPORTED = 100
"""The search for violations ends after so many."""


class InvalidParameterException(ServiceError):
    """``ValidationException`` under the code that CloudWatch Logs uses."""

    code = "InvalidParameterException"
    status = 400


class InvalidInputException(ServiceError):
    """``ValidationException`` under the code that Organizations uses."""

    code = "InvalidInputException"
    status = 400


_OWN_CODES = {"logs": InvalidParameterException, "organizations": InvalidInputException}


def validate(operation: Any, params: dict[str, Any], *, patterns: bool = True) -> None:
    """Check the parameters of an operation (a botocore ``OperationModel``) against its input shape.

    Without ``patterns`` texts may have any form, so that suites can be run which make up their ARNs. Raises
    ``ValidationException``, under the code that the service uses for it, with every violation in one message.
    """
    shape = operation.input_shape
    # Nearly all requests are valid: whether one is takes a fraction of the time that it takes to say what is wrong.
    if shape is None or fits(shape)(params):
        return
    found: list[str] = []
    _structure(shape, params, "", found)
    if not patterns:
        found = [violation for violation in found if _PATTERN not in violation]
    if found:
        raise _error_class(operation)(message(found))


def message(found: list[str]) -> str:
    """One message for several violations, as AWS joins them."""
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(found)}"


def member_path(name: str) -> str:
    """A member's name as AWS's messages spell it: with a small first letter."""
    return name[:1].lower() + name[1:]


def _error_class(operation: Any) -> type[ServiceError]:
    service = operation.service_model
    if service.service_name in _OWN_CODES:
        return _OWN_CODES[service.service_name]
    if service.resolved_protocol == "query" or "query" in (service.metadata.get("protocols") or ()):
        return ValidationError
    codes = {shape.error_code for shape in operation.error_shapes}
    return ValidationError if "ValidationError" in codes and "ValidationException" not in codes else ValidationException


def _structure(shape: Any, value: dict[str, Any], path: str, found: list[str]) -> None:
    members = shape.members
    for name in shape.required_members:
        # A payload that is streamed by the caller is not among the parameters.
        if value.get(name) is None and not members[name].serialization.get("streaming"):
            _report_null(f"{path}{member_path(name)}", found)
    for name, item in value.items():
        if item is not None and len(found) < MAX_REPORTED and (member := members.get(name)) is not None:
            _value(member, item, f"{path}{member_path(name)}", found)


def _value(shape: Any, value: Any, path: str, found: list[str]) -> None:
    kind = shape.type_name
    violations = _violations(shape, value)
    if kind == "structure":
        if isinstance(value, dict) and not shape.is_document_type:
            _structure(shape, value, path + ".", found)
        return
    if kind == "list":
        member = shape.member
        for number, item in enumerate(value, 1):
            if item is None and len(found) < MAX_REPORTED:
                _report_null(f"{path}.{number}.member", found)
        if member.type_name in ("structure", "list", "map"):
            _report(shape, value, path, violations, found)
            for number, item in enumerate(value, 1):
                if len(found) >= MAX_REPORTED:
                    return
                if item is not None:
                    _value(member, item, f"{path}.{number}.member", found)
            return
        if any(_violations(member, item) for item in value if item is not None):
            violations.append(f"Member must satisfy constraint: [{', '.join(_constraints(member))}]")
        _report(shape, value, path, violations, found)
        return
    if kind == "map":
        if any(_violations(shape.key, key) for key in value):
            violations.append(f"Map keys must satisfy constraint: [{', '.join(_constraints(shape.key))}]")
        member = shape.value
        for key, item in value.items():
            if item is None and len(found) < MAX_REPORTED:
                _report_null(f"{path}.{key}.member", found)
        nested = member.type_name in ("structure", "list", "map")
        if not nested and any(_violations(member, item) for item in value.values() if item is not None):
            violations.append(f"Map value must satisfy constraint: [{', '.join(_constraints(member))}]")
        _report(shape, value, path, violations, found)
        if nested:
            for key, item in value.items():
                if len(found) >= MAX_REPORTED:
                    return
                if item is not None:
                    _value(member, item, f"{path}.{key}.member", found)
        return
    _report(shape, value, path, violations, found)


def _report_null(path: str, found: list[str]) -> None:
    found.append(f"Value null at '{path}' failed to satisfy constraint: Member must not be null")


def _report(shape: Any, value: Any, path: str, violations: list[str], found: list[str]) -> None:
    if not violations:
        return
    shown = "Value" if _is_sensitive(shape) else f"Value '{_text(value)}'"
    found.extend(f"{shown} at '{path}' failed to satisfy constraint: {violation}" for violation in violations)


def _violations(shape: Any, value: Any) -> list[str]:
    """The constraints of the shape itself, without those of what it holds, that the value breaks."""
    metadata = shape.metadata
    kind = shape.type_name
    if not metadata:
        return []
    broken: list[str] = []
    if kind in ("string", "list", "map", "blob"):
        if not hasattr(value, "__len__"):
            return []
        size = len(value)
        if size < metadata.get("min", 0):
            broken.append(_at_least("length", metadata["min"]))
        if "max" in metadata and size > metadata["max"]:
            broken.append(_at_most("length", metadata["max"]))
        if kind == "string" and isinstance(value, str):
            # A value that is far too long is not matched as well: that would say nothing new.
            matchable = "pattern" in metadata and not ("max" in metadata and size > 4 * metadata["max"])
            if matchable and not matches(metadata["pattern"], value):
                broken.append(f"Member must satisfy regular expression pattern: {metadata['pattern']}")
            if metadata.get("enum") and value not in metadata["enum"]:
                broken.append(f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]")
    elif kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        if "min" in metadata and value < metadata["min"]:
            broken.append(_at_least("value", metadata["min"]))
        if "max" in metadata and value > metadata["max"]:
            broken.append(_at_most("value", metadata["max"]))
    return broken


def _constraints(shape: Any) -> list[str]:
    """All constraints of a scalar shape, as AWS lists them for the items of lists and maps."""
    metadata = shape.metadata
    measure = "length" if shape.type_name in ("string", "blob") else "value"
    listed = []
    if "max" in metadata:
        listed.append(_at_most(measure, metadata["max"]))
    if "min" in metadata:
        listed.append(_at_least(measure, metadata["min"]))
    if "pattern" in metadata:
        listed.append(f"Member must satisfy regular expression pattern: {metadata['pattern']}")
    if metadata.get("enum"):
        listed.append(f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]")
    return listed


def _at_least(measure: str, limit: float) -> str:
    return f"Member must have {measure} greater than or equal to {_number(limit)}"


def _at_most(measure: str, limit: float) -> str:
    return f"Member must have {measure} less than or equal to {_number(limit)}"


def _number(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _is_sensitive(shape: Any) -> bool:
    if bool(shape.metadata.get("sensitive")):
        return True
    if shape.type_name == "list":
        return _is_sensitive(shape.member)
    if shape.type_name == "map":
        return _is_sensitive(shape.key) or _is_sensitive(shape.value)
    # What a structure holds is not looked through: lists of structures are named without their value.
    return bool(shape.type_name == "structure")


def _text(value: Any) -> str:
    """A value as Java prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, datetime):
        return str(int(epoch_seconds(value)))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return "null" if value is None else str(value)
