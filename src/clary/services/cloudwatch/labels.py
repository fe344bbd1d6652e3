"""The labels of what ``GetMetricData`` answers, which may show properties and values of the metric.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from clary.resources.context import Context
from clary.services.cloudwatch.errors import ValidationError
from clary.services.cloudwatch.sources import Wanted

_PART = re.compile(r"\$\{(?:([A-Z_]+)|PROP\('([^']+)'\))\}")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")
_PLACES = ("FIRST", "LAST", "MIN", "MAX")


class Labels:
    """Writes the labels of one answer."""

    def __init__(self, context: Context, zone: str | None) -> None:
        """``zone`` is the difference from UTC as ``+0130``. Raises ``ValidationError`` for one of another form."""
        self._context = context
        match = _ZONE.fullmatch(zone) if zone is not None else None
        if zone is not None and match is None:
            raise ValidationError(f"The value {zone[:32]} for parameter LabelOptions.Timezone is not supported.")
        self._zone: timezone = UTC
        if match is not None:
            apart = timedelta(hours=int(match[2]), minutes=int(match[3]))
            if apart >= timedelta(days=1) or int(match[3]) >= 60:
                raise ValidationError(f"The value {zone} for parameter LabelOptions.Timezone is not supported.")
            self._zone = timezone(-apart if match[1] == "-" else apart)

    def written(
        self, label: str | None, wanted: Wanted, statistic: str, times: Sequence[int], values: Sequence[float]
    ) -> str:
        """The label of a metric; what it has not, and what there is no value for, stays as ``--``."""
        if label is None:
            return wanted.metric.name
        if "${" not in label:
            return label

        def part(match: re.Match[str]) -> str:
            if match[2] is not None:
                return self._property(match[2], wanted, statistic)
            shown = self._value(match[1], wanted, times, values)
            return match[0] if shown is None else shown

        return _PART.sub(part, label)

    def _property(self, name: str, wanted: Wanted, statistic: str) -> str:
        if name.startswith("Dim."):
            return dict(wanted.metric.dimensions).get(name.removeprefix("Dim."), "--")
        properties = {
            "AccountId": self._context.account,
            "MetricName": wanted.metric.name,
            "Namespace": wanted.metric.namespace,
            "Period": str(wanted.period),
            "Region": self._context.region,
            "Stat": statistic,
        }
        return properties.get(name, "--")

    def _value(self, name: str, wanted: Wanted, times: Sequence[int], values: Sequence[float]) -> str | None:
        """What stands for a name such as ``MAX_TIME``; ``None`` for one that there is not."""
        if name == "LABEL":
            return wanted.metric.name
        if name == "DATAPOINT_COUNT":
            return str(len(values))
        first = name.removesuffix("_TIME")
        if name not in ("AVG", "SUM") and first not in _PLACES:
            return None
        if not values:
            return "--"
        if name in ("AVG", "SUM"):
            total = sum(values)
            return _number(total if name == "SUM" else total / len(values))
        time, value = self._point(first, times, values)
        return _number(value) if first == name else datetime.fromtimestamp(time, self._zone).isoformat()

    @staticmethod
    def _point(place: str, times: Sequence[int], values: Sequence[float]) -> tuple[int, float]:
        points = list(zip(times, values, strict=True))
        if place in ("FIRST", "LAST"):
            return min(points) if place == "FIRST" else max(points)
        return (min if place == "MIN" else max)(points, key=lambda point: point[1])


def _number(value: float) -> str:
    return f"{value:.12g}"
