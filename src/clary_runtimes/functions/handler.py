"""The process that runs the user's code: it imports the handler, and calls it with one event after the other.

The errors and their wording are those of AWS's runtime for Python. Reference:
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from clary_runtimes.functions import frames
from clary_runtimes.functions.context import LambdaContext

Handler = Callable[[Any, LambdaContext], Any]


class Fault(Exception):
    """What is wrong with the function itself; ``kind`` is the ``errorType``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _RequestIds(logging.Filter):
    """Gives every line the id of the request that it belongs to."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def run(events: int, answers: int) -> None:
    """Serve the events of one descriptor with answers to another, until there are no more."""
    ids = _log()
    handler: Handler | None = None
    fault = b""
    try:
        handler = load(os.environ.get("_HANDLER", ""))
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, and the caller is to learn of it
        fault = _told(error, "")
    _flush()
    frames.write(answers, frames.READY)
    reader = frames.Reader(events)
    while (event := _next(reader)) is not None:
        head, body = json.loads(event[0]), event[1]
        ids.request_id = head["id"]
        if handler is None:
            # As on AWS, what went wrong at the start is the answer to the event that it was started for.
            kind, said = frames.FAULT, _with_id(fault, head["id"])
        else:
            kind, said = _call(handler, head, body)
        _flush()
        frames.write(answers, kind, said)


def load(name: str) -> Handler:
    """The function that ``module.function`` names, in AWS's way: the module may lie in folders. Raises ``Fault``."""
    module, dot, function = name.rpartition(".")
    if not dot:
        why = "not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {why}")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}") from error
    handler = getattr(found, function, None)
    if handler is None:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return handler  # type: ignore[no-any-return]


def _next(reader: frames.Reader) -> list[bytes] | None:
    found = reader.whole()
    while found is None and not reader.ended:
        found = reader.take()
    return found[1] if found is not None else None


def _call(handler: Handler, head: dict[str, Any], body: bytes) -> tuple[bytes, bytes]:
    try:
        client = json.loads(head["client_context"]) if head.get("client_context") else None
        context = LambdaContext(head["id"], head["arn"], head["deadline_ms"], client)
        result = handler(json.loads(body), context)
        return frames.RESULT, _marshalled(result)
    except SystemExit:
        raise  # the process ends, and its environment with it
    except BaseException as error:  # noqa: BLE001 - the handler may raise anything, and the caller is to learn of it
        return frames.ERROR, _told(error, head["id"])


def _marshalled(result: Any) -> bytes:
    try:
        return json.dumps(result, ensure_ascii=False, default=_number).encode()
    except (TypeError, ValueError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _told(error: BaseException, request_id: str) -> bytes:
    """An error as the caller is told of it; the log is told too."""
    kind = error.kind if isinstance(error, Fault) else type(error).__name__
    frames_of_user = [] if isinstance(error, Fault) else _frames(error.__traceback__)
    shown = error.__cause__ if isinstance(error, Fault) and isinstance(error.__cause__, SyntaxError) else None
    if shown is not None:
        frames_of_user = traceback.format_exception_only(shown)[:-1]
    print("\n".join([f"[ERROR] {kind}: {error}", "Traceback (most recent call last):", *frames_of_user]))
    told = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": frames_of_user}
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")


def _with_id(told: bytes, request_id: str) -> bytes:
    return json.dumps({**json.loads(told), "requestId": request_id}, ensure_ascii=False).encode()


def _frames(trace: TracebackType | None) -> list[str]:
    """The frames of the user's code, as the interpreter shows them."""
    every = traceback.extract_tb(trace)
    ours = Path(__file__).parent
    kept = [each for each in every if Path(each.filename).parent != ours and "importlib" not in each.filename]
    return traceback.format_list(kept)


def _log() -> _RequestIds:
    """Let what is logged be written as AWS's runtime does: functions only set the level."""
    handler = logging.StreamHandler(sys.stdout)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    ids = _RequestIds()
    handler.addFilter(ids)
    logging.getLogger().addHandler(handler)
    return ids


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
