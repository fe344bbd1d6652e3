"""The trail of calls, as CloudTrail gives it.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from clary.cli.client import ApiError, Client
from clary.cli.mistakes import Mistake

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PAUSE_SECONDS = 1.0


def seconds(text: str) -> float:
    """``1h`` in seconds."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        raise Mistake(f"not a time: {text!r}; it is a number and a unit, as 90s, 15m, 1h or 7d", 2)
    return float(int(match[1]) * _UNITS[match[2]])


class Audit:
    """The records of calls since ``start`` (seconds since the epoch), by one user or of one operation if so wished."""

    def __init__(self, client: Client, start: float, user: str = "", event: str = "", data: bool = False) -> None:
        self._client = client
        self._start = start
        self._user = user
        self._data = data
        # The API looks for one attribute; for the second it is looked here.
        self._event = event
        name, value = ("Username", user) if user else ("EventName", event)
        self._attributes = [{"AttributeKey": name, "AttributeValue": value}] if value else []
        self._seen: set[str] = set()

    def read(self) -> list[dict[str, Any]]:
        """The records that came since the last call, in the order of their times."""
        fresh = []
        for event in self._events():
            if event["EventId"] not in self._seen and self._is_wanted(event):
                fresh.append(json.loads(event["CloudTrailEvent"]))
            self._seen.add(event["EventId"])
        return fresh[::-1]

    def follow(self) -> Iterator[dict[str, Any]]:
        """The records as they come, without an end."""
        while True:
            # A call may be recorded in the second that was looked at last.
            begun = int(time.time()) - 1
            yield from self.read()
            time.sleep(_PAUSE_SECONDS)
            self._start = begun

    def _is_wanted(self, event: dict[str, Any]) -> bool:
        # Whoever follows the trail would see little but his own looks at it.
        return self._event == event["EventName"] or (not self._event and event["EventName"] != "LookupEvents")

    def _events(self) -> Iterator[dict[str, Any]]:
        wanted: dict[str, Any] = {"StartTime": self._start, "LookupAttributes": self._attributes}
        while True:
            answer = self._page(wanted)
            yield from answer["Events"]
            if not answer.get("NextToken"):
                return
            wanted["NextToken"] = answer["NextToken"]

    def _page(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if not self._data:
            return self._client.call("cloudtrail", "LookupEvents", **wanted)
        status, body = self._client.send("POST", "/_clary/data-events", "clary", json.dumps(wanted).encode())
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise ApiError(answer.get("code", "Unknown"), answer.get("message", ""), status)
        return answer


def line(record: dict[str, Any]) -> str:
    """A record for people: when, who, from where, what, on what, and what went wrong."""
    identity = record["userIdentity"]
    who = identity.get("userName") or identity.get("invokedBy") or identity.get("arn", "").rpartition(":")[2]
    service = record["eventSource"].removesuffix(".amazonaws.com")
    what = [each["ARN"] for each in record.get("resources", ())][:1]
    parts = [
        record["eventTime"],
        who or identity.get("accessKeyId") or "anonymous",
        record["sourceIPAddress"] or "-",
        f"{service}:{record['eventName']}",
        *what,
    ]
    if "errorCode" in record:
        parts.append(f"-> {record['errorCode']}")
    # What came from a client must not steer the terminal that shows it.
    return "  ".join(part if part.isprintable() else ascii(part) for part in parts)
