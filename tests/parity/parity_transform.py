"""What the parity tests of batch transform share: a model of one's own, and short ways to start jobs."""

from __future__ import annotations

from typing import Any

from parity_lab import BUCKET, SKLEARN, Lab, eventually, pack

GROUP = "/aws/sagemaker/TransformJobs"
OWN = """
import json, os, sys, time

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    # In one piece: two requests at once would mix what print writes word by word.
    sys.stdout.write(f"transforms {len(text)} {content_type} {accept} {os.environ.get('MODE')}\\n")
    found = {name: os.environ[name] for name in sorted(os.environ) if "_BATCH" in name or "_MAX_" in name}
    sys.stdout.write(f"{found}\\n")
    sys.stdout.flush()
    if os.path.exists("/opt/ml/model/gate") and "wait" in text:
        print("waits", flush=True)
        time.sleep(600)
    if "broken" in text:
        raise RuntimeError("this record breaks the model")
    if accept == "application/jsonlines":
        documents = [json.loads(line) for line in text.splitlines()]
        return "\\n".join(json.dumps({"sum": sum(document)}) for document in documents), accept
    return "\\n".join(str(len(line)) for line in text.splitlines()), accept
"""
"""An own model: the lengths of lines, or the sums of JSON arrays. With the file ``gate`` it waits where it is told."""


def own_model(lab: Lab, name: str = "own", **files: str) -> None:
    data = lab.put(f"{name}/model.tar.gz", pack({"code/inference.py": OWN, "weights": "", **files}))
    lab.model(name, data, SKLEARN, Environment={"SAGEMAKER_PROGRAM": "inference.py", "MODE": "model"})


def request(lab: Lab, name: str, model: str, **changes: Any) -> dict[str, Any]:
    """The arguments of ``create_transform_job``: lines of CSV below ``in/`` to lines of CSV below ``out/NAME``."""
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
    place |= changes.pop("S3DataSource", {})
    given = {"DataSource": {"S3DataSource": place}, "ContentType": "text/csv", "SplitType": "Line"}
    output = {"S3OutputPath": f"s3://{BUCKET}/out/{name}", "Accept": "text/csv", "AssembleWith": "Line"}
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": given | changes.pop("TransformInput", {}),
        "TransformOutput": output | changes.pop("TransformOutput", {}),
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": changes.pop("InstanceCount", 1)},
        **changes,
    }


def start(lab: Lab, name: str, model: str, **changes: Any) -> str:
    return str(lab.sagemaker.create_transform_job(**request(lab, name, model, **changes))["TransformJobArn"])


def ended(lab: Lab, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = lab.sagemaker.describe_transform_job(TransformJobName=name)
        return None if job["TransformJobStatus"] in ("InProgress", "Stopping") else job

    return dict(eventually(look, f"{name} has ended"))


def transform(lab: Lab, name: str, model: str, **changes: Any) -> dict[str, Any]:
    """A job that completes."""
    start(lab, name, model, **changes)
    job = ended(lab, name)
    assert job["TransformJobStatus"] == "Completed", (job.get("FailureReason"), log(lab, name))
    return job


def log(lab: Lab, name: str) -> str:
    return lab.log_of(name, GROUP)


def await_log(lab: Lab, name: str, text: str) -> None:
    def look() -> bool:
        begun = "TransformStartTime" in lab.sagemaker.describe_transform_job(TransformJobName=name)
        return begun and text in log(lab, name)

    eventually(look, f"{text!r} is in the log of {name}")


def data_log(lab: Lab, name: str) -> list[str]:
    """What SageMaker itself says of the data, without the times."""
    lines = log(lab, name).splitlines()
    return [line.partition("[sagemaker logs]: ")[2] for line in lines if ":[sagemaker logs]: " in line]


def output(lab: Lab, name: str, key: str) -> str:
    return lab.get(f"s3://{BUCKET}/out/{name}/{key}.out").decode()


def keys(lab: Lab, name: str) -> list[str]:
    found = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"out/{name}/").get("Contents", [])
    return [each["Key"].removeprefix(f"out/{name}/") for each in found]


def events(lab: Lab, stream: str) -> list[dict[str, Any]]:
    page = lab.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)
    return list(page["events"])
