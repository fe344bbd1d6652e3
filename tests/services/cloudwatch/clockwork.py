"""An installation whose time the test moves: what is due is looked at as the control plane's scheduler would."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.control.scheduler import Look
from clary.resources.context import ServiceApp
from clary.services.cloudwatch.service import SERVICE as CLOUDWATCH
from clary.state.records import Record


class Clockwork:
    """CloudWatch by boto3, with a clock that stands still between a test's steps."""

    def __init__(self, installation: Any, *others: ServiceApp) -> None:
        self.installation = installation
        self.apps = (CLOUDWATCH, *others)
        # Five seconds after a full minute, so that the minute before counts.
        self.minute = int(time.time()) // 60 * 60
        installation.now = self.minute + 5.0
        self.cloudwatch = self.client(CLOUDWATCH)

    @property
    def now(self) -> float:
        return float(self.installation.now)

    def client(self, app: ServiceApp) -> Any:
        """What the client would refuse itself shall reach the service."""
        made = boto3.client(
            app.name,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:7788",
            aws_access_key_id="AKIA",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

        def send(request: Any, **_: Any) -> AWSResponse:
            answer: AWSResponse = self.installation._answer(app, request, self.installation.context())
            return answer

        made.meta.events.register("before-send", send)
        return made

    def look(self) -> None:
        """Look at all that has work, as often as one look asks for another at once."""
        reconcilers = {(app.name, kind): fn for app in self.apps for kind, fn in app.reconcilers.items()}
        for _ in range(5):
            again = False
            for service, kind in reconcilers:
                for record in self._active(service, kind):
                    pause = reconcilers[service, kind](Look(self.installation.platform, record, record.fence))
                    again = again or pause == 0.0
            if not again:
                return

    def _active(self, service: str, kind: str) -> list[Record]:
        with self.installation.database.read() as transaction:
            found: list[Record] = transaction.active(service, [kind])
        return found

    def later(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.installation.now += seconds
        self.look()

    # Metrics

    def put(self, values: Sequence[float | None], name: str = "m", period: int = 60, **datum: Any) -> None:
        """One value for each of the last periods that are over, the oldest first; none where there is ``None``."""
        end = int(self.now - 3) // min(period, 60) * min(period, 60)
        data = [
            {
                "MetricName": name,
                "Timestamp": datetime.fromtimestamp(end - period * (len(values) - number), UTC),
                **({"Value": value} if "Values" not in datum else {}),
                "StorageResolution": 1 if period < 60 else 60,
                **datum,
            }
            for number, value in enumerate(values)
            if value is not None
        ]
        if data:
            self.cloudwatch.put_metric_data(Namespace="Mine", MetricData=data)

    # Alarms

    def alarm(self, name: str = "a", **members: Any) -> None:
        """An alarm on the metric ``m``: above 5, by one point of a minute."""
        given = {
            "AlarmName": name,
            "Namespace": "Mine",
            "MetricName": "m",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **members,
        }
        self.cloudwatch.put_metric_alarm(**{member: value for member, value in given.items() if value is not None})

    def shown(self, name: str = "a") -> dict[str, Any]:
        answer = self.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        [alarm] = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
        return dict(alarm)

    def state(self, name: str = "a") -> str:
        return str(self.shown(name)["StateValue"])

    def force(self, state: str, name: str = "a", **members: Any) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand", **members)

    def history(self, name: str = "a", **members: Any) -> list[str]:
        """The summaries, the oldest first."""
        items = self.cloudwatch.describe_alarm_history(
            **{"AlarmName": name, "ScanBy": "TimestampAscending", **members}
        )["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


def refused(code: str, function: Any, **members: Any) -> str:
    """Calls what must be refused with a code; gives the message."""
    with pytest.raises(ClientError) as caught:
        function(**members)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return str(error["Message"])
