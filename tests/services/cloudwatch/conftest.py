"""A client of CloudWatch with short ways to say what most tests say."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.testing.server import Server


def _share(name: str) -> None:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)


_share("clockwork")


class Watch:
    """One metric, ``Mine`` and ``m``, by plain boto3, within the last hour and the next minutes."""

    namespace = "Mine"

    def __init__(self, client: Any) -> None:
        self.client = client
        self.now = int(time.time())
        self.minute = self.now - self.now % 60 - 300
        """The start of a minute that is over."""

    def put(self, *data: dict[str, Any], **all_of_them: Any) -> None:
        named = [{"MetricName": "m", "Timestamp": self.at(self.minute), **all_of_them, **datum} for datum in data]
        self.client.put_metric_data(Namespace=self.namespace, MetricData=named)

    def at(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    def range(self, start: float | None = None, end: float | None = None) -> dict[str, datetime]:
        start = self.minute - 3_000 if start is None else start
        return {"StartTime": self.at(start), "EndTime": self.at(self.now + 600 if end is None else end)}

    def statistics(self, *names: str, name: str = "m", period: int = 60, **others: Any) -> list[dict[str, Any]]:
        kind = "ExtendedStatistics" if names[0].startswith("p") else "Statistics"
        asked = {"Namespace": self.namespace, "MetricName": name, "Period": period, **self.range(), **others}
        points = self.client.get_metric_statistics(**asked, **{kind: list(names)})["Datapoints"]
        return sorted(points, key=lambda point: (point["Timestamp"], point["Unit"]))

    def query(self, name: str = "m", stat: str = "Sum", period: int = 60, **others: Any) -> dict[str, Any]:
        metric = {"Namespace": self.namespace, "MetricName": name, **others.pop("Metric", {})}
        return {
            "Id": others.pop("Id", name),
            "MetricStat": {"Metric": metric, "Period": period, "Stat": stat},
            **others,
        }

    def data(self, *queries: dict[str, Any], **others: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get_metric_data(
            **{"MetricDataQueries": list(queries), **self.range(), **others}
        )
        return answer


@pytest.fixture
def watch(clary_aws: Server) -> Watch:
    # What the client would refuse itself shall reach the server.
    return Watch(clary_aws.client("cloudwatch", config=Config(parameter_validation=False)))


@pytest.fixture
def refused() -> Callable[..., str]:
    """Calls what must be refused with a code; gives the message."""

    def call(code: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
        with pytest.raises(ClientError) as caught:
            function(*arguments, **named)
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        return str(error["Message"])

    return call


@pytest.fixture
def clockwork(installation: Any) -> Any:
    return sys.modules["clockwork"].Clockwork(installation)
