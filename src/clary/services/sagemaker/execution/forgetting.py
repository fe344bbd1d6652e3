"""Jobs that ended long ago go, where the setting ``keep_jobs_days`` does not keep them for ever.

With a job go its logs, what was measured of it, its trial component, and the artifacts of the lineage that nothing else
has to do with. What it wrote to S3 stays: that is for the rules of the bucket to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clary.resources.context import Platform
from clary.services.logs.api import forget_stream
from clary.services.sagemaker.execution.api import RUN, JobKind, agents
from clary.services.sagemaker.execution.hosts import host_names
from clary.services.sagemaker.execution.usage import forget_usage
from clary.services.sagemaker.experiments.api import forget_job
from clary.state.records import Record
from clary.state.transaction import Transaction

_DAY_SECONDS = 86_400.0
_TOGETHER = 50
"""How many jobs go in one transaction, in which nobody else can write."""


def forget_old_jobs(platform: Platform, kinds: Mapping[str, JobKind]) -> int:
    """Remove the jobs of these kinds that ended before the days that the settings name; gives how many there were."""
    days, count = platform.settings.keep_jobs_days, 0
    if not days:
        return 0
    while True:
        before = platform.clock() - days * _DAY_SECONDS
        with platform.database.write() as transaction:
            old = transaction.at_rest("sagemaker", list(kinds), before, _TOGETHER)
            for record in old:
                _forget(transaction, record, kinds[record.key.kind])
        for record in old:
            # Were this cut short, what is left would go with the next start.
            if "hosts" in record.document.get(RUN, {}):
                agents(platform, record).forget()
        count += len(old)
        if len(old) < _TOGETHER:
            return count


def _forget(transaction: Transaction, record: Record, jobs: JobKind) -> None:
    account, region = record.key.account, record.key.region
    if hosts := record.document.get(RUN, {}).get("hosts"):  # it has run
        for stream, _ in jobs.streams(record, dict.fromkeys(hosts, Path())):
            forget_stream(transaction, account, region, jobs.log_group, stream)
        forget_usage(transaction, record, jobs.log_group, host_names(hosts))
    transaction.metrics.remove(record.id)
    forget_job(transaction, record)
    transaction.delete(record)
