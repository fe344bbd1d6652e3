"""Warm pools as boto3 sees them: kept after a job, moved to the next like it, ended by time, by hand or by a fault."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import SKLEARN, Lab, eventually

SAID = "import sys; print('sklearn' in sys.modules, open('/proc/self/cmdline').read().split(chr(0))[1:3])"


def _resources(seconds: int | None, **changes: Any) -> dict[str, Any]:
    kept = {} if seconds is None else {"KeepAlivePeriodInSeconds": seconds}
    return {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5, **kept, **changes}


def _run(lab: Lab, name: str, seconds: int | None, code: str = SAID, **changes: Any) -> str:
    """The log of a job of an own command."""
    shell = {"ContainerEntrypoint": ["python", "-c", code]}
    resources = _resources(seconds, **changes.pop("resources", {}))
    lab.start(name, SKLEARN, AlgorithmSpecification=shell, ResourceConfig=resources, **changes)
    lab.ended(name)
    return lab.log_of(name)


def _pool(lab: Lab, name: str) -> dict[str, Any]:
    return dict(lab.sagemaker.describe_training_job(TrainingJobName=name).get("WarmPoolStatus", {}))


def _standby(lab: Lab) -> None:
    """Wait until a standby is ready."""
    pools = lab.server.home / "pools"
    eventually(lambda: list(pools.glob("*/*/ready")), "a standby is ready")


def _kept_with(lab: Lab, status: str) -> list[str]:
    listed = lab.sagemaker.list_training_jobs(WarmPoolStatusEquals=status)["TrainingJobSummaries"]
    assert all(each["WarmPoolStatus"]["Status"] == status for each in listed)
    return sorted(each["TrainingJobName"] for each in listed)


def test_a_pool_moves_from_job_to_job(lab: Lab) -> None:
    cache = "/opt/ml/sagemaker/warmpoolcache/data"
    _run(lab, "first", 600, f"open({cache!r}, 'w').write('from the first')")
    lab.completed("first")
    assert _pool(lab, "first") == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0}
    assert _kept_with(lab, "Available") == ["first"]
    _standby(lab)

    log = _run(lab, "second", 0, f"{SAID}; print(open({cache!r}).read())")
    assert "True ['-m', 'clary_runtimes.standby']" in log, "the process had waited"
    assert "from the first" in log
    first, second = _pool(lab, "first"), _pool(lab, "second")
    assert (first["Status"], first["ReusedByJob"]) == ("Reused", "second")
    assert second["Status"] == "Terminated", "the second job keeps nothing"
    assert not list((lab.server.home / "pools").glob("*"))
    assert _run(lab, "third", None).splitlines()[-1] == f"False ['-c', {SAID!r}]"
    assert _pool(lab, "third") == {}


@pytest.mark.parametrize(
    "changes",
    [{"resources": {"VolumeSizeInGB": 6}}, {"EnableNetworkIsolation": True}],
    ids=["volume", "network isolation"],
)
def test_a_job_that_differs_gets_a_pool_of_its_own(lab: Lab, changes: dict[str, Any]) -> None:
    _run(lab, "first", 600)
    _standby(lab)
    assert "False ['-c'" in _run(lab, "second", 600, **changes)
    assert _pool(lab, "first")["Status"] == _pool(lab, "second")["Status"] == "Available"


def test_a_failed_job_keeps_its_pool(lab: Lab) -> None:
    _run(lab, "failed", 600, "raise SystemExit(3)")
    assert lab.ended("failed")["TrainingJobStatus"] == "Failed"
    assert _pool(lab, "failed")["Status"] == "Available"


def test_a_pool_ends_when_its_time_is_over(lab: Lab) -> None:
    _run(lab, "short", 1)
    eventually(lambda: _pool(lab, "short")["Status"] == "Terminated", "the pool has ended", 30)
    assert _kept_with(lab, "Terminated") == ["short"]
    eventually(lambda: not list((lab.server.home / "pools").glob("*")), "nothing is left of it", 30)


def test_a_pool_is_updated_and_given_up(lab: Lab) -> None:
    _run(lab, "kept", 600)
    lab.sagemaker.update_training_job(TrainingJobName="kept", ResourceConfig={"KeepAlivePeriodInSeconds": 1200})
    assert _pool(lab, "kept")["Status"] == "Available"
    described = lab.sagemaker.describe_training_job(TrainingJobName="kept")
    assert described["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 1200
    lab.sagemaker.update_training_job(TrainingJobName="kept", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    eventually(lambda: _pool(lab, "kept")["Status"] == "Terminated", "the pool has ended", 30)
    with pytest.raises(ClientError, match="while the job's warm pool is InUse or Available"):
        lab.sagemaker.update_training_job(TrainingJobName="kept", ResourceConfig={"KeepAlivePeriodInSeconds": 60})


def test_scripts_are_forks_of_the_process_that_waited(lab: Lab) -> None:
    script = "import os, sys; print('imported', 'sklearn' in sys.modules, sys.argv[0], __name__)\nimport no_such_module"
    for name in ("cold", "warm"):
        lab.start_script(name, script, ResourceConfig=_resources(600))
        lab.ended(name)
        _standby(lab)
    cold, warm = lab.log_of("cold"), lab.log_of("warm")
    assert "imported False train.py __main__" in cold
    assert "imported True train.py __main__" in warm
    for name in ("cold", "warm"):
        reason = lab.ended(name)["FailureReason"]
        assert "ModuleNotFoundError: No module named 'no_such_module'" in reason
        assert "ExecuteUserScriptError" in reason
    assert cold.split("Invoking script")[1].replace("False", "True") == warm.split("Invoking script")[1]


def test_what_cannot_have_a_pool_is_refused(lab: Lab) -> None:
    with pytest.raises(ClientError, match="21600"):
        lab.start("long", SKLEARN, ResourceConfig=_resources(21601))
    with pytest.raises(ClientError, match="not supported with managed spot training"):
        lab.start(
            "spot",
            SKLEARN,
            ResourceConfig=_resources(60),
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        )
