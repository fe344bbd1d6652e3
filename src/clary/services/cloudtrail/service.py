"""CloudTrail as the platform runs it.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.cloudtrail.lookup import lookup_events

SERVICE = ServiceApp("cloudtrail", {"LookupEvents": lookup_events})
