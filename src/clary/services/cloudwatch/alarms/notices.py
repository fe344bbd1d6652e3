"""What people and programs are told of an alarm that changed its state: through SNS, as a function's event, and on
EventBridge's default bus.

References: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
import orjson

from clary.core.clock import iso
from clary.services.cloudwatch.alarms.reasons import moment
from clary.services.cloudwatch.alarms.records import ACTIONS, COMPOSITE, STATE, TYPE
from clary.state.records import Record

LONGEST_SUBJECT = 100
"""Characters that SNS takes."""


def subject(record: Record) -> str:
    """The subject of the message, which mail shows: ``ALARM: "many-errors" in US East (N. Virginia)``."""
    text = f'{record.status}: "{record.name}" in {_region(record.key.region)}'
    return text if len(text) <= LONGEST_SUBJECT else text[: LONGEST_SUBJECT - 3] + "..."


def message(record: Record, before: str, now: float) -> str:
    """The message to a topic, as JSON; ``before`` is the state that the alarm was in."""
    document, state = record.document, record.document[STATE]
    told: dict[str, Any] = {
        "AlarmName": record.name,
        "AlarmDescription": document.get("AlarmDescription"),
        "AWSAccountId": record.key.account,
        "AlarmConfigurationUpdatedTimestamp": moment(state["configured"]),
        "NewStateValue": record.status,
        "NewStateReason": state["reason"],
        "StateChangeTime": moment(now),
        "Region": _region(record.key.region),
        "AlarmArn": record.arn,
        "OldStateValue": before,
        **{member: document[member] for member in ACTIONS.values()},
    }
    told |= {"AlarmRule": document["AlarmRule"]} if document[TYPE] == COMPOSITE else {"Trigger": _trigger(document)}
    return orjson.dumps(told).decode()


def event(record: Record, before: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The event ``CloudWatch Alarm State Change``; ``before`` is what ``change_state`` gave."""
    document = record.document
    configuration: dict[str, Any] = {}
    if (description := document.get("AlarmDescription")) is not None:
        configuration["description"] = description
    if document[TYPE] == COMPOSITE:
        configuration["alarmRule"] = document["AlarmRule"]
    else:
        configuration["metrics"] = _metrics(record)
    detail = {
        "alarmName": record.name,
        "configuration": configuration,
        "previousState": _state(before["status"], before, before["updated"]),
        "state": _state(record.status, document[STATE], now),
    }
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "time": iso(now),
        "resources": [record.arn],
        "detail": detail,
    }


def payload(record: Record, before: Mapping[str, Any], now: float) -> str:
    """What a function is called with that is an action of the alarm, as JSON; ``before`` is as for ``event``.

    Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    detail = event(record, before, now)["detail"]
    told = {
        "source": "aws.cloudwatch",
        "alarmArn": record.arn,
        "accountId": record.key.account,
        "time": moment(now),
        "region": record.key.region,
        "alarmData": {name: detail[name] for name in ("alarmName", "state", "previousState", "configuration")},
    }
    return orjson.dumps(told).decode()


def _state(value: str, state: Mapping[str, Any], at: float) -> dict[str, Any]:
    told = {"value": value, "reason": state["reason"], "timestamp": moment(at)}
    return told | {"reasonData": state["data"]} if state.get("data") else told


def _trigger(document: Mapping[str, Any]) -> dict[str, Any]:
    judged = {
        "EvaluationPeriods": document["EvaluationPeriods"],
        "ComparisonOperator": document["ComparisonOperator"],
        "Threshold": document.get("Threshold"),
        "TreatMissingData": document.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": document.get("EvaluateLowSampleCountPercentile", ""),
    }
    if (most := document.get("DatapointsToAlarm")) is not None:
        judged["DatapointsToAlarm"] = most
    if "MetricName" not in document:
        return {"Metrics": document.get("Metrics", []), **judged}
    extended = document.get("ExtendedStatistic")
    return {
        "MetricName": document["MetricName"],
        "Namespace": document["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        # The API writes ``Average``, the message ``AVERAGE``.
        **({"ExtendedStatistic": extended} if extended else {"Statistic": _shouted(document["Statistic"])}),
        "Unit": document.get("Unit"),
        "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in document.get("Dimensions", [])],
        "Period": document["Period"],
        **judged,
    }


def _shouted(statistic: str) -> str:
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def _metrics(record: Record) -> list[dict[str, Any]]:
    document = record.document
    if "MetricName" not in document:
        return [_query(each) for each in document.get("Metrics", [])]
    statistic = document.get("ExtendedStatistic") or document["Statistic"]
    # The alarm names no query, and the event shows one; it has the same id each time.
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, record.arn))
    metric = {key: document[key] for key in ("MetricName", "Namespace", "Dimensions") if key in document}
    return [_query({"Id": name, "MetricStat": {"Metric": metric, "Period": document["Period"], "Stat": statistic}})]


def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": given["Id"], "returnData": given.get("ReturnData", True)}
    if "Expression" in given:
        told["expression"] = given["Expression"]
    if "Label" in given:
        told["label"] = given["Label"]
    if (stat := given.get("MetricStat")) is not None:
        metric = stat["Metric"]
        told["metricStat"] = {
            "metric": {
                "namespace": metric.get("Namespace", ""),
                "name": metric.get("MetricName", ""),
                "dimensions": {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return told


@cache
def _region(name: str) -> str:
    """What a region is called: ``US East (N. Virginia)``."""
    endpoints = botocore.session.get_session().get_data("endpoints")
    regions = (partition["regions"].get(name) for partition in endpoints["partitions"])
    return next((str(region["description"]) for region in regions if region), name)
