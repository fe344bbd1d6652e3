"""The states of an alarm.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

from __future__ import annotations

from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

OK: State = "OK"
ALARM: State = "ALARM"
INSUFFICIENT_DATA: State = "INSUFFICIENT_DATA"
