"""The history of alarms: how they were configured, how their state changed, and what was done about it.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import orjson

from clary.core.ids import token
from clary.resources.context import Context
from clary.services.cloudwatch.alarms.records import METRIC, SERVICE, TYPE
from clary.services.cloudwatch.tokens import read_place, write_place
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

ItemType = Literal["ConfigurationUpdate", "StateUpdate", "Action"]

KIND = "AlarmHistoryItem"
KEPT_SECONDS = 30 * 86_400.0
LONGEST_SUMMARY = 255
LONGEST_DATA = 4_095
PAGE = 100
_FORGOTTEN_AT_ONCE = 100


def remember(
    transaction: Transaction, alarm: Record, now: float, kind: ItemType, summary: str, data: Mapping[str, Any]
) -> None:
    """Add an item to the history of an alarm, and forget items that are older than 30 days."""
    text = orjson.dumps({"version": "1.0", **data}, default=str).decode()
    document = {
        "AlarmName": alarm.name,
        "AlarmType": alarm.document[TYPE],
        "HistoryItemType": kind,
        "HistorySummary": summary[:LONGEST_SUMMARY],
        # What is cut off could not be read anyhow.
        **({"HistoryData": text} if len(text) <= LONGEST_DATA else {}),
    }
    key = Key(alarm.key.account, alarm.key.region, SERVICE, KIND, alarm.name, token(24))
    transaction.insert(Record(key, f"{alarm.arn}/history/{key.name}", now, now, document))
    old = Query(key.account, key.region, SERVICE, KIND, limit=_FORGOTTEN_AT_ONCE).within(alarm.name)
    for item in transaction.find(old.where("@created", now - KEPT_SECONDS, "to")):
        transaction.delete(item)


def describe_alarm_history(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeAlarmHistory``: the newest item first unless asked otherwise; of metric alarms unless types are named.

    The history of an alarm stays when the alarm is deleted. Raises ``InvalidNextToken``.
    """
    most = params.get("MaxRecords", PAGE)
    query = Query(context.account, context.region, SERVICE, KIND, limit=most + 1)
    query = replace(query, descending=params.get("ScanBy") != "TimestampAscending")
    if "AlarmName" in params:
        query = query.within(params["AlarmName"])
    if "HistoryItemType" in params:
        query = query.where("HistoryItemType", params["HistoryItemType"])
    types = params.get("AlarmTypes") or [METRIC]
    if len(set(types)) == 1:
        query = query.where("AlarmType", types[0])
    if "StartDate" in params:
        query = query.where("@created", params["StartDate"].timestamp(), "from")
    if "EndDate" in params:
        query = query.where("@created", params["EndDate"].timestamp(), "to")
    if params.get("NextToken"):
        time, row = read_place(params["NextToken"], ((int, float), int))
        query = replace(query, after=(time, row))
    with context.platform.database.read() as transaction:
        records = transaction.find(query)
    shown = records[:most]
    answer: dict[str, Any] = {
        "AlarmHistoryItems": [{**record.document, "Timestamp": record.created} for record in shown]
    }
    if len(records) > most:
        answer["NextToken"] = write_place([shown[-1].created, shown[-1].id])
    return answer
