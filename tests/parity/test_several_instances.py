"""Jobs on several instances: hosts that know and reach each other, share data, and succeed or fail together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from parity_lab import BUCKET, Lab, channel, eventually

PYTHON = "clary/python:3.11"

MEET = """
import json, os, pathlib, socket, time

config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
hosts, me = config["hosts"], config["current_host"]
mine = sorted(path.name for path in pathlib.Path("/opt/ml/input/data/parts").iterdir())
print(f"{me} has {mine}", flush=True)
# Every host listens on the same port of its own address, and all tell the first one what they have.
listener = socket.create_server((me, 5000))
assert socket.gethostname() == me and socket.gethostbyname(me).startswith("127.")
if me == hosts[0]:
    told = {me: mine}
    for _ in hosts[1:]:
        told.update(json.loads(listener.accept()[0].makefile().readline()))
    pathlib.Path("/opt/ml/model/told.json").write_text(json.dumps(told))
else:
    until = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection((hosts[0], 5000)) as first:
                first.sendall(json.dumps({me: mine}).encode() + b"\\n")
            break
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
    time.sleep(1)  # so that the first host has ended before
folder = pathlib.Path("/opt/ml/model/parts")
folder.mkdir(exist_ok=True)
(folder / me).write_text(me)
pathlib.Path("/opt/ml/model/same").write_text(me)
pathlib.Path(f"/opt/ml/output/data/{me}.txt").write_text("more")
pathlib.Path("/opt/ml/checkpoints").joinpath(f"{me}.ckpt").write_text(me)
print(f"loss={len(mine)}", flush=True)
"""


def cluster(count: int, **more: Any) -> dict[str, Any]:
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 5, **more}


def start(lab: Lab, name: str, code: str, **more: Any) -> None:
    """Start a job that runs ``code`` on each of its hosts."""
    channels = [*more.pop("InputDataConfig", []), channel("code", lab.put(f"{name}-code/run.py", code))]
    specification = {"ContainerEntrypoint": ["python", "/opt/ml/input/data/code/run.py"]}
    specification |= more.pop("AlgorithmSpecification", {})
    lab.start(name, PYTHON, InputDataConfig=channels, AlgorithmSpecification=specification, **more)


def shared(name: str, uri: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "ShardedByS3Key", **more}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def streams(lab: Lab, name: str) -> list[str]:
    found = lab.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")
    return [stream["logStreamName"].split("/")[1].rpartition("-")[0] for stream in found["logStreams"]]


@pytest.mark.parametrize("isolated", [False, True], ids=["connected", "isolated"])
def test_hosts_meet_and_share_the_data(lab: Lab, isolated: bool) -> None:
    name = "several-isolated" if isolated else "several"
    for number in range(7):
        lab.put(f"{name}/parts/{number}", "x")
    start(
        lab,
        name,
        MEET,
        EnableNetworkIsolation=isolated,
        InputDataConfig=[shared("parts", f"s3://{BUCKET}/{name}/parts/")],
        ResourceConfig=cluster(3),
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/{name}/checkpoints"},
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9]+)"}]},
    )
    job = lab.completed(name)
    model = lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert json.loads(model["told.json"]) == {
        "algo-1": ["0", "3", "6"],
        "algo-2": ["1", "4"],
        "algo-3": ["2", "5"],
    }
    # One archive of what all hosts have written; of the same name, what the first one has.
    assert {name for name in model if name.startswith("parts/")} == {f"parts/algo-{n}" for n in (1, 2, 3)}
    assert model["same"] == b"algo-1"
    data = lab.archive(f"s3://{BUCKET}/output/{name}/output/output.tar.gz")
    assert data.keys() == {"algo-1.txt", "algo-2.txt", "algo-3.txt"}
    kept = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/checkpoints/")["Contents"]
    assert [each["Key"].rpartition("/")[2] for each in kept] == ["algo-1.ckpt", "algo-2.ckpt", "algo-3.ckpt"]
    assert streams(lab, name) == ["algo-1", "algo-2", "algo-3"]
    log = lab.log_of(name)
    assert "algo-2 has ['1', '4']" in log and "The 3 instances of the job share this machine." in log
    assert {value["Value"] for value in job["FinalMetricDataList"]} <= {2.0, 3.0}
    values = lab.server.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "loss",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "/aws/sagemaker/TrainingJobs",
                        "MetricName": "loss",
                        "Dimensions": [{"Name": "TrainingJobName", "Value": name}],
                    },
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
        ],
        StartTime=job["CreationTime"].timestamp() - 3600,
        EndTime=job["TrainingEndTime"].timestamp() + 3600,
    )["MetricDataResults"][0]["Values"]
    assert sum(values) == 7


def test_a_host_that_fails_fails_the_job_at_once(lab: Lab) -> None:
    code = """
import os, time
if os.uname().nodename == "algo-2":
    raise ValueError("two is broken")
time.sleep(600)
"""
    start(lab, "broken", code, ResourceConfig=cluster(3))
    job = lab.ended("broken")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: ValueError: two is broken, exit code: 1"
    ended = job["TrainingEndTime"] - job["CreationTime"]
    assert ended.total_seconds() < 60


def test_a_stop_reaches_every_host(lab: Lab) -> None:
    code = """
import os, pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("/opt/ml/model/" + os.uname().nodename).write_text("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("waits", flush=True)
time.sleep(600)
"""
    start(lab, "stopped-hosts", code, ResourceConfig=cluster(2))
    lab.await_status("stopped-hosts", "Training")
    eventually(lambda: lab.log_of("stopped-hosts").count("waits") == 2, "both wait")
    lab.sagemaker.stop_training_job(TrainingJobName="stopped-hosts")
    job = lab.ended("stopped-hosts")
    assert job["TrainingJobStatus"] == "Stopped"
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]).keys() == {"algo-1", "algo-2"}


def test_a_host_that_is_lost_starts_all_of_them_again(lab: Lab) -> None:
    code = """
import os, pathlib, time
kept = pathlib.Path("/opt/ml/checkpoints")
again = (kept / "algo-1").exists()
(kept / os.uname().nodename).write_text("was here")
print("again" if again else "first", flush=True)
time.sleep(0 if again else 600)
"""
    start(lab, "lost", code, ResourceConfig=cluster(2), CheckpointConfig={"S3Uri": f"s3://{BUCKET}/lost"})
    lab.await_status("lost", "Training")
    eventually(lambda: lab.log_of("lost").count("first") == 2, "both have begun")
    eventually(lambda: "Contents" in lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="lost/algo-1"), "it is saved")
    [second] = [folder for folder in lab.server.home.glob("jobs/TrainingJob-*-2") if (folder / "lock").exists()]
    os.kill(int((second / "lock").read_text().split()[0]), signal.SIGKILL)
    lab.completed("lost")
    assert lab.log_of("lost").count("again") == 2
    left = subprocess.run(["pgrep", "-f", str(second)], capture_output=True, text=True, check=False).stdout
    assert not left


def test_groups_of_instances(lab: Lab) -> None:
    """A channel for one group is shared by its hosts alone; the others do not get it."""
    code = """
import json, os, pathlib
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
data = pathlib.Path("/opt/ml/input/data")
seen = {path.name: sorted(each.name for each in path.iterdir()) for path in data.iterdir() if path.name != "code"}
told = {key: config[key] for key in ("current_group_name", "current_instance_type", "instance_groups")}
pathlib.Path("/opt/ml/model/" + config["current_host"]).write_text(json.dumps({**told, "seen": seen}))
"""
    for number in range(4):
        lab.put(f"groups/{number}", "x")
    groups = [
        {"InstanceGroupName": "readers", "InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
        {"InstanceGroupName": "learners", "InstanceType": "ml.m5.large", "InstanceCount": 1},
    ]
    uri = f"s3://{BUCKET}/groups/"
    start(
        lab,
        "groups",
        code,
        InputDataConfig=[shared("some", uri, InstanceGroupNames=["readers"]), shared("all", uri)],
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 5},
    )
    job = lab.completed("groups")
    model = {name: json.loads(text) for name, text in lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]).items()}
    assert [model[f"algo-{n}"]["current_group_name"] for n in (1, 2, 3)] == ["readers", "readers", "learners"]
    assert model["algo-3"]["current_instance_type"] == "ml.m5.large"
    assert model["algo-1"]["instance_groups"] == [
        {"instance_group_name": "readers", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1", "algo-2"]},
        {"instance_group_name": "learners", "instance_type": "ml.m5.large", "hosts": ["algo-3"]},
    ]
    words = [sys.executable, "-m", "clary.cli", "cost", "groups", "--json", "--home", str(lab.server.home)]
    [cost] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["jobs"]
    assert (cost["instances"], cost["instance_type"]) == (3, "ml.c5.xlarge, ml.m5.large")
    assert cost["dollars"] == pytest.approx((2 * 0.204 + 0.115) * cost["seconds"] / 3600)
    assert [model[f"algo-{n}"]["seen"] for n in (1, 2, 3)] == [
        {"some": ["0", "2"], "all": ["0", "3"]},
        {"some": ["1", "3"], "all": ["1"]},
        {"all": ["2"]},
    ]


def test_a_built_in_algorithm_says_that_it_trains_on_one_instance(lab: Lab) -> None:
    train = lab.put("one/train.csv", "1,2\n0,3\n")
    lab.start("one", channels={"train": train}, hyperparameters={"num_round": 1}, ResourceConfig=cluster(2))
    job = lab.ended("one")
    assert job["TrainingJobStatus"] == "Failed"
    assert "please set InstanceCount to 1" in job["FailureReason"]


@pytest.mark.parametrize("kept", [0, 60])
def test_jobs_one_after_the_other(lab: Lab, kept: int) -> None:
    """What they leave in the cache of a warm pool is kept for each host."""
    code = """
import os, pathlib
cache = pathlib.Path("/opt/ml/sagemaker/warmpoolcache")
print("finds", sorted(path.name for path in cache.iterdir()) if cache.exists() else None, flush=True)
if cache.exists():
    (cache / os.uname().nodename).write_text("x")
"""
    for number in (1, 2):
        name = f"in-turn-{kept}-{number}"
        more = {"KeepAlivePeriodInSeconds": kept} if kept else {}
        start(lab, name, code, ResourceConfig=cluster(2, **more))
        lab.completed(name)
    log = lab.log_of(f"in-turn-{kept}-2").splitlines()
    found = sorted(line for line in log if line.startswith("finds"))
    assert found == (["finds ['algo-1']", "finds ['algo-2']"] if kept else ["finds None"] * 2)


def test_processing_shares_its_input(lab: Lab) -> None:
    code = """
import json, pathlib
config = json.load(open("/opt/ml/config/resourceconfig.json"))
for path in pathlib.Path("/opt/ml/processing/input").iterdir():
    pathlib.Path("/opt/ml/processing/output", path.name).write_text(config["current_host"])
"""
    for number in range(4):
        lab.put(f"processed/in/{number}", "x")
    of_all = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    source = {
        "S3Uri": f"s3://{BUCKET}/processed/in/",
        "LocalPath": "/opt/ml/processing/input",
        "S3DataDistributionType": "ShardedByS3Key",
        **of_all,
    }
    script = {"S3Uri": lab.put("process.py", code), "LocalPath": "/opt/ml/processing/code", **of_all}
    target = {
        "S3Uri": f"s3://{BUCKET}/processed/out",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    job = lab.process(
        "processed",
        AppSpecification={"ImageUri": PYTHON, "ContainerEntrypoint": ["python", "/opt/ml/processing/code/process.py"]},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
        ProcessingInputs=[{"InputName": "in", "S3Input": source}, {"InputName": "code", "S3Input": script}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": target}]},
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    written = {str(n): lab.get(f"s3://{BUCKET}/processed/out/{n}").decode() for n in range(4)}
    assert written == {"0": "algo-1", "1": "algo-2", "2": "algo-1", "3": "algo-2"}
