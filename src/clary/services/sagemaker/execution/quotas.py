"""How many instances the jobs of an account may have in a region, where the settings limit that.

Reference: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from clary.core.errors import ResourceLimitExceeded

ALL = "Number of instances across all {use} jobs"
OF_TYPE = "{type} for {use} job usage"


def check_quotas(
    quotas: Mapping[str, int], use: str, wanted: Iterable[str], others: Callable[[], Iterable[Iterable[str]]]
) -> None:
    """Refuse instances that are more than the quotas of a use (``training``) allow.

    ``wanted`` are the types of those that are asked for; ``others``, called only where there is a quota, gives those of
    each job that is at work. Raises ``ResourceLimitExceeded``, in AWS's words.
    """
    asked = _counted(use, wanted)
    if not any(name in quotas for name in asked):
        return
    used: Counter[str] = Counter()
    for types in others():
        used.update(_counted(use, types))
    for name, count in asked.items():
        if name in quotas and used[name] + count > quotas[name]:
            raise ResourceLimitExceeded(
                f"The account-level service limit '{name}' is {quotas[name]} Instances, with current utilization of "
                f"{used[name]} Instances and a request delta of {count} Instances. Jobs that have ended or are stopped "
                "make room; the limit stands in the setting quotas."
            )


def _counted(use: str, types: Iterable[str]) -> Counter[str]:
    """How much instances of these types use of each quota."""
    count = Counter(OF_TYPE.format(type=each, use=use) for each in types)
    return Counter({**count, ALL.format(use=use): count.total()})
