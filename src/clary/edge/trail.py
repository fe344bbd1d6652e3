"""Writes the trail: who has called what, when, from where, and how it ended.

A record is written before its call is answered, by one write to a file that is open for appending, so that no process
that is killed takes a record of an answered call with it. Where a disk is full calls are answered all the same, and the
log says that records are missing.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_id
from clary.core.settings import Settings
from clary.services.cloudtrail.api import (
    DAY_MS,
    HIDDEN,
    Kind,
    is_data,
    is_read_only,
    segment_path,
    segments,
    source,
    without_signatures,
)
from clary.services.iam.api import Identities, Principal
from clary.wire.http import Request, Response

VERSION = "1.11"
LONGEST_AGENT = 512
LONGEST_MESSAGE = 1024
LONGEST_KEY_ID = 32
"""Characters of an access key id. What is longer is something else: a secret that was mistaken for one, perhaps."""
LONGEST_VALUE = 1024
LARGEST_RECORD = 250_000
"""Bytes of a record; lines that are longer could not be read as a whole."""
MOST_SEGMENT = 16 << 20
_KEPT = 4096
_COMPLAINT_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """A call, as far as it is known until it is answered."""

    request: Request
    request_id: str
    principal: Principal | None = None
    access_key: str = ""
    service: str = ""
    """As botocore calls it; without one the call is not recorded."""
    operation: str = ""
    region: str = ""
    console: bool = False
    """Whether it came from Studio."""
    more: dict[str, Any] = field(default_factory=dict)
    """Members of the record that whoever answers the call knows: its parameters, its answer, its resources."""
    identity: dict[str, Any] | None = None
    """The caller, where none of ours has signed."""
    error: tuple[str, str] | None = None
    """The code and the message of what went wrong."""

    def by(self, principal: Principal, access_key: str = "") -> None:
        """The caller is known."""
        self.principal, self.access_key = principal, access_key

    def of(self, service: str, operation: str, region: str, **more: Any) -> None:
        """What is called is known."""
        self.service, self.operation, self.region = service, operation, region
        self.more.update(more)

    def about_endpoint(self, name: str, arn: str) -> None:
        """It is an invocation of this endpoint, of whose payload nothing is recorded."""
        self.more["requestParameters"] = {"endpointName": name[:LONGEST_VALUE]}
        self.more["resources"] = [
            {"accountId": arn.split(":", 5)[4], "type": "AWS::SageMaker::Endpoint", "ARN": arn[:LONGEST_VALUE]}
        ]

    def failed(self, error: ServiceError, response: Response | None = None) -> None:
        """It was refused, or has failed; ``response`` says so in the words of the service."""
        code = response.headers.get("x-amzn-errortype", error.code) if response is not None else error.code
        # What a model answers is data.
        self.error = (code, "" if code == "ModelError" else error.message)


class Trail:
    """The trail of one installation; for the thread of the edge's loop."""

    def __init__(self, settings: Settings, identities: Identities, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._identities = identities
        self._clock = clock
        kept = settings.audit_mb << 20
        self._files: dict[Kind, Segments] = {
            kind: Segments(settings.trail, kind, kept, settings.audit_days) for kind in ("write", "read", "data")
        }
        self._callers: dict[tuple[Principal, str, bool], orjson.Fragment] = {}
        self._second, self._time = 0, ""
        self._complained = 0.0
        self._missing = 0

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def keep(self, call: Call, told: str = "") -> None:
        """Record a call that is about to be answered; ``told`` is what the control plane says of it."""
        if not call.service:
            return
        data = is_data(call.service, call.operation)
        if data and not self._settings.audit_data:
            return
        record = self._record(call, source(call.service), data)
        record["readOnly"] = is_read_only(call.service, call.operation)
        if told:
            self._add(record, told)
        self._write(record, call.principal is None)

    def _add(self, record: dict[str, Any], told: str) -> None:
        try:
            record.update(orjson.loads(told))
        except orjson.JSONDecodeError as error:
            # A text that is none in UTF-8; what is known here is recorded all the same.
            log.warning("the control plane's part of a record cannot be read: %s", error)
        for resource in record.get("resources", ()):
            # What a request names need not be an ARN.
            resource["accountId"] = "".join(resource["ARN"].split(":", 5)[4:5]) or record["recipientAccountId"]

    def keep_object_call(self, call: Call, data: bool, read_only: bool) -> None:
        """Record a call of S3, as ``keep`` does; ``data`` is whether it is one for an object."""
        if data and not self._settings.audit_data:
            return
        record = self._record(call, "s3.amazonaws.com", data)
        record["readOnly"] = read_only
        self._write(record, call.principal is None)

    def _record(self, call: Call, event_source: str, data: bool) -> dict[str, Any]:
        principal, request = call.principal, call.request
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second, self._time = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        record: dict[str, Any] = {
            "eventVersion": VERSION,
            "userIdentity": self._caller(call),
            "eventTime": self._time,
            "eventSource": event_source,
            "eventName": call.operation or "Unknown",
            "awsRegion": call.region or self._settings.region,
            "sourceIPAddress": request.client,
            "userAgent": request.headers.get("user-agent", "")[:LONGEST_AGENT],
            "requestParameters": None,
            "responseElements": None,
            "requestID": call.request_id,
            "eventID": new_id(),
            "eventType": "AwsApiCall",
            "managementEvent": not data,
            "recipientAccountId": principal.account if principal is not None else self._settings.account,
            "eventCategory": "Data" if data else "Management",
        }
        if call.more:
            record.update(call.more)
        if call.error is not None:
            record["errorCode"] = call.error[0]
            # What a stranger sent may be a secret in the wrong place, and messages quote what is wrong.
            if call.error[1] and (principal is not None or call.identity is not None):
                record["errorMessage"] = without_signatures(call.error[1])[:LONGEST_MESSAGE]
        if call.console:
            record["sessionCredentialFromConsole"] = "true"
        return record

    def _write(self, record: dict[str, Any], of_nobody: bool) -> None:
        if not record["managementEvent"]:
            kind: Kind = "data"
        elif record["readOnly"] or of_nobody:
            # Whoever has no name here may fill the room of what only looks, and no other.
            kind = "read"
        else:
            kind = "write"
        now_ms = int(self._clock() * 1000)
        try:
            text = orjson.dumps(record)
            if len(text) > LARGEST_RECORD:
                # Characters that JSON spells out make a text longer than it was.
                omitted = {"omitted": True, "originalSize": len(text), "reason": "TooLarge"}
                text = orjson.dumps({**record, "requestParameters": omitted, "responseElements": None})
            line = b"%d %s\n" % (now_ms, text)
            self._files[kind].write(now_ms, line)
        except (OSError, orjson.JSONEncodeError) as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Tell the log, but not for each call of a flood."""
        self._missing += 1
        now = time.monotonic()
        if now - self._complained > _COMPLAINT_SECONDS:
            log.error("%d records are missing in the trail: %s", self._missing, error)
            self._complained, self._missing = now, 0

    def _caller(self, call: Call) -> Any:
        """``userIdentity``.

        Reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
        """
        principal = call.principal
        if principal is None:
            if call.identity is not None:
                return call.identity
            if not call.access_key:
                return _STRANGER
            # Nobody has proven to have it.
            return {"type": "Unknown", "accessKeyId": call.access_key if _is_key_id(call.access_key) else HIDDEN}
        key = (principal, call.access_key, call.console)
        found = self._callers.get(key)
        if found is None:
            if len(self._callers) >= _KEPT:
                self._callers.clear()
            found = self._callers[key] = orjson.Fragment(orjson.dumps(self._identity(*key)))
        return found

    def _identity(self, principal: Principal, access_key: str, console: bool) -> dict[str, Any]:
        kinds = {"root": "Root", "user": "IAMUser", "role": "AssumedRole"}
        identity: dict[str, Any] = {
            "type": kinds[principal.kind],
            "principalId": principal.user_id,
            "arn": principal.arn,
            "accountId": principal.account,
        }
        if access_key:
            identity["accessKeyId"] = access_key
        if principal.kind == "user":
            identity["userName"] = principal.name
        session: dict[str, Any] = {"attributes": {"mfaAuthenticated": "false"}}
        if principal.kind == "role":
            role = self._identities.role_named(principal.account, principal.name)
            session["sessionIssuer"] = {
                "type": "Role",
                "principalId": principal.user_id.partition(":")[0],
                "arn": role.arn if role is not None else f"arn:aws:iam::{principal.account}:role/{principal.name}",
                "accountId": principal.account,
                "userName": principal.name,
            }
        if console or access_key.startswith("ASIA"):
            identity["sessionContext"] = session
        return identity


_STRANGER: dict[str, Any] = {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}


def _is_key_id(text: str) -> bool:
    return len(text) <= LONGEST_KEY_ID and text.isascii() and text.isalnum()


class Segments:
    """The files of one kind of record: one that grows, and older ones, which go when there are too many."""

    def __init__(self, folder: Path, kind: Kind, largest: int, days: int) -> None:
        self._folder = folder
        self._kind = kind
        self._largest = largest
        self._days = days
        self._segment = min(MOST_SEGMENT, largest // 4)
        self._file: int | None = None
        self._size = 0
        self._until = 0
        self._torn = False

    def write(self, now_ms: int, line: bytes) -> None:
        """Append a line. Raises ``OSError``."""
        if self._file is None or now_ms >= self._until or self._size >= self._segment:
            self._open(now_ms)
        assert self._file is not None
        if self._torn:
            # A line of which a part was written ends here, so that the next one is whole.
            line = b"\n" + line
        written = os.write(self._file, line)
        self._size += written
        self._torn = written != len(line)
        if self._torn:
            raise OSError(f"{written} of {len(line)} bytes were written")

    def close(self) -> None:
        """Close the file; another write opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, now_ms: int) -> None:
        """Go on with the latest file if it is of today and has room, else begin another."""
        first_open = self._file is None
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = segments(self._folder, self._kind)
        latest = present[-1] if present else 0
        size = segment_path(self._folder, self._kind, latest).stat().st_size if present else 0
        if not (first_open and present and size < self._segment and now_ms < _end_of_day(latest)):
            # Were the clock set back, a new file must still be the last.
            latest, size = max(now_ms, latest + 1), 0
            self._remove_old(present, now_ms)
        path = segment_path(self._folder, self._kind, latest)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size, self._until, self._torn = (
            size,
            max(_end_of_day(latest), now_ms + 1),
            size > 0 and not _is_whole(path),
        )

    def _remove_old(self, present: list[int], now_ms: int) -> None:
        sizes = {each: segment_path(self._folder, self._kind, each).stat().st_size for each in present}
        room = self._largest - self._segment
        for number, segment in enumerate(present):
            ended = present[number + 1] if number + 1 < len(present) else now_ms
            if sum(sizes.values()) <= room and ended > now_ms - self._days * DAY_MS:
                return
            segment_path(self._folder, self._kind, segment).unlink(missing_ok=True)
            del sizes[segment]


def _end_of_day(ms: int) -> int:
    return (ms // DAY_MS + 1) * DAY_MS


def _is_whole(path: Path) -> bool:
    """Whether a file that is not empty ends with a line's end."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
