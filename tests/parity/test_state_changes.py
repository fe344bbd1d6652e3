"""State changes of jobs that really run, as a rule sends them to a queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from parity_lab import SKLEARN, Lab, eventually

QUICK = {"ContainerEntrypoint": ["/bin/sh", "-c", "echo done"]}


def listening(lab: Lab, detail_type: str) -> Callable[[str, str], list[dict[str, Any]]]:
    """Gives the details that a rule has sent of one kind of event, once a status is among them."""
    sqs, events = lab.server.client("sqs"), lab.server.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail-type": [detail_type]}
    rule = events.put_rule(Name="jobs", EventPattern=json.dumps(pattern))["RuleArn"]
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="jobs", Targets=[{"Id": "queue", "Arn": arn, "InputPath": "$.detail"}])
    found: list[dict[str, Any]] = []

    def until(member: str, status: str) -> list[dict[str, Any]]:
        def look() -> bool:
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get(
                "Messages", []
            ):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            return any(each[member] == status for each in found)

        eventually(look, f"an event with {member} {status}")
        return found

    return until


def test_a_training_job_tells_each_of_its_statuses_once(lab: Lab) -> None:
    until = listening(lab, "SageMaker Training Job State Change")
    arn = lab.start("told", SKLEARN, AlgorithmSpecification=QUICK, Tags=[{"Key": "team", "Value": "a"}])
    found = until("TrainingJobStatus", "Completed")
    assert max(Counter((each["TrainingJobStatus"], each["SecondaryStatus"]) for each in found).values()) == 1
    assert {each["SecondaryStatus"] for each in found} >= {"Starting", "Training", "Completed"}
    job = lab.sagemaker.describe_training_job(TrainingJobName="told")
    [end] = [each for each in found if each["TrainingJobStatus"] == "Completed"]
    assert (end["TrainingJobArn"], end["Tags"]) == (arn, {"team": "a"})
    for time in ("CreationTime", "TrainingStartTime", "TrainingEndTime"):
        assert end[time] == round(job[time].timestamp() * 1000)
    assert end["ModelArtifacts"] == job["ModelArtifacts"]


def test_a_job_that_fails_tells_why(lab: Lab) -> None:
    until = listening(lab, "SageMaker Training Job State Change")
    lab.start("broken", SKLEARN, AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", "exit 3"]})
    [end] = [each for each in until("TrainingJobStatus", "Failed") if each["TrainingJobStatus"] == "Failed"]
    assert end["FailureReason"] == lab.sagemaker.describe_training_job(TrainingJobName="broken")["FailureReason"]
