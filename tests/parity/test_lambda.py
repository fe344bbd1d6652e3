"""Functions made, called and told by plain boto3 against a running server."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server, server

BUCKET = "results"
HANDLER = """
import json, logging, os, sys, time

import helper

calls = 0
logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    global calls
    calls += 1
    print("called with", json.dumps(event))
    logger.info("call %d", calls)
    return getattr(sys.modules[__name__], event.get("do", "show"))(event, context)


def show(event, context):
    return {
        "calls": calls,
        "greeting": helper.greeting(),
        "environment": context.log_stream_name,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "group": context.log_group_name,
        "left": context.get_remaining_time_in_millis(),
        "client": context.client_context.custom if context.client_context else None,
        "root": os.environ["LAMBDA_TASK_ROOT"],
        "cwd": os.getcwd(),
        "secret": os.environ.get("SECRET"),
        "ours": sorted(name for name in os.environ if name.startswith(("CLARY_", "AWS_CONTAINER"))),
    }


def fail(event, context):
    raise ValueError(event.get("why", "no luck"))


def sleep(event, context):
    time.sleep(event["seconds"])
    return "awake"


def leave(event, context):
    os._exit(3)


def take(event, context):
    return len(bytearray(event["mb"] << 20))


def odd(event, context):
    return {1, 2}


def large(event, context):
    return "x" * 6_300_000


def write(event, context):
    with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "more.py"), "w") as file:
        file.write("#")


def scratch(event, context):
    with open("/tmp/kept", "a") as file:
        file.write("x")
    return os.path.getsize("/tmp/kept")


def who(event, context):
    import boto3

    return boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).get_caller_identity()["Arn"]


def keep_slowly(event, context):
    import boto3

    boto3.client("s3").put_object(Bucket="results", Key=event["key"] + "-begun", Body=b"")
    time.sleep(3)
    keep(event, context)


def keep(event, context):
    import boto3

    boto3.client("s3").put_object(Bucket="results", Key=event["key"], Body=json.dumps(event).encode())
"""
TOLD = """
import json, os, urllib.parse

import boto3


def handler(event, context):
    queue = os.environ["QUEUE"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    return {"seen": True}
"""
PICK = """

def pick(event):
    bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return made.getvalue()


def archive(greeting: str = "hello") -> bytes:
    return zipped(app=HANDLER, helper=f"def greeting():\n    return {greeting!r}\n")


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def aws() -> Iterator[Server]:
    with server() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        iam = running.client("iam")
        iam.create_role(RoleName="function", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        iam.put_role_policy(
            RoleName="function", PolicyName="work", PolicyDocument=allow("s3:PutObject", "sqs:*", "sns:Publish")
        )
        yield running


@pytest.fixture(scope="module")
def role(aws: Server) -> str:
    return f"arn:aws:iam::{aws.account}:role/function"


@pytest.fixture(scope="module")
def functions(aws: Server) -> Any:
    return aws.client("lambda", config=Config(read_timeout=120, retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def make(functions: Any, role: str) -> Callable[..., str]:
    """Makes a function that is ready; gives its ARN."""

    def make(name: str, code: bytes | None = None, **members: Any) -> str:
        given = {"Runtime": "python3.11", "Handler": "app.handler", "Role": role, "Timeout": 60, **members}
        made = functions.create_function(FunctionName=name, Code={"ZipFile": code or archive()}, **given)
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return str(made["FunctionArn"])

    return make


def call(functions: Any, name: str, event: Any = None, **members: Any) -> Any:
    """What a function answers."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), **members)
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def failure(functions: Any, name: str, event: Any) -> Any:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def main(make: Callable[..., str]) -> str:
    """The function that most tests call."""
    make("main", Environment={"Variables": {"SECRET": "a secret"}}, Description="For tests", Tags={"team": "a"})
    return "main"


def queue(aws: Server, name: str) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def message(aws: Server, url: str) -> Any:
    """The next message, with its attributes."""
    sqs, until = aws.client("sqs"), time.monotonic() + 120
    while time.monotonic() < until:
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"]).get("Messages", [])
        if got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
            return got[0]
    raise AssertionError("nothing came")


def body(aws: Server, url: str) -> Any:
    return json.loads(message(aws, url)["Body"])


def test_a_handler_is_called_with_its_event_and_a_context(functions: Any, main: str, aws: Server) -> None:
    context = base64.b64encode(json.dumps({"custom": {"trip": 7}}).encode()).decode()
    answer = functions.invoke(FunctionName=main, Payload=b'{"x": "\xc3\xa9"}', ClientContext=context, LogType="Tail")
    told = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert told["greeting"] == "hello" and told["name"] == main and told["version"] == "$LATEST"
    assert told["arn"] == f"arn:aws:lambda:us-east-1:{aws.account}:function:main"
    assert told["memory"] == "128" and told["group"] == "/aws/lambda/main" and 50_000 < told["left"] <= 60_000
    assert told["client"] == {"trip": 7} and told["secret"] == "a secret" and told["ours"] == []
    assert told["root"] == told["cwd"]
    assert told["request"] == answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0] == f"START RequestId: {told['request']} Version: $LATEST"
    assert lines[1].startswith("called with {")
    assert lines[2].startswith("[INFO]\t") and lines[2].endswith(f"Z\t{told['request']}\tcall {told['calls']}")
    assert lines[3] == f"END RequestId: {told['request']}"
    assert lines[4].startswith(f"REPORT RequestId: {told['request']}\tDuration: ")
    assert "\tMemory Size: 128 MB\tMax Memory Used: " in lines[4]


def test_an_environment_is_kept_for_the_next_event(functions: Any, main: str) -> None:
    first, second = call(functions, main), call(functions, main)
    assert second["environment"] == first["environment"] and second["calls"] == first["calls"] + 1
    assert call(functions, main, {"do": "scratch"}) + 1 == call(functions, main, {"do": "scratch"})


def test_names_and_arns(functions: Any, main: str, aws: Server) -> None:
    arn = f"arn:aws:lambda:us-east-1:{aws.account}:function:{main}"
    for name in (arn, f"{arn}:$LATEST", f"{aws.account}:function:{main}", f"function:{main}", f"{main}:$LATEST"):
        assert call(functions, name)["name"] == main
    assert call(functions, f"{arn}:$LATEST")["arn"] == f"{arn}:$LATEST"
    with pytest.raises(functions.exceptions.ResourceNotFoundException, match="Function not found: " + arn + ":7"):
        functions.invoke(FunctionName=main, Qualifier="7")
    with pytest.raises(functions.exceptions.ResourceNotFoundException, match=r"Function not found: .*:nobody"):
        functions.invoke(FunctionName="nobody")


def test_the_log_is_in_cloudwatch(functions: Any, main: str, aws: Server) -> None:
    request = call(functions, main)["request"]
    logs = aws.client("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/lambda/main")["logStreams"]
    assert all("/[$LATEST]" in each["logStreamName"] for each in streams)
    found = logs.filter_log_events(logGroupName="/aws/lambda/main", filterPattern=f'"{request}"')["events"]
    assert any(each["message"].startswith("REPORT ") for each in found)


def test_an_error_of_the_handler_is_an_answer(functions: Any, main: str) -> None:
    told = failure(functions, main, {"do": "fail", "why": "no such thing"})
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "no such thing")
    assert "app.py" in told["stackTrace"][-1] and 'raise ValueError(event.get("why"' in told["stackTrace"][-1]
    told = failure(functions, main, {"do": "odd"})
    assert told["errorType"] == "Runtime.MarshalError"
    assert told["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"
    told = failure(functions, main, {"do": "large"})
    assert told["errorType"] == "Function.ResponseSizeTooLarge"
    assert call(functions, main)["calls"] > 1


def test_a_process_that_ends_is_replaced(functions: Any, main: str) -> None:
    before = call(functions, main)["environment"]
    told = failure(functions, main, {"do": "leave"})
    assert told["errorType"] == "Runtime.ExitError"
    assert told["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    after = call(functions, main)
    assert after["calls"] == 1 and after["environment"] != before


def test_code_is_read_only(functions: Any, main: str) -> None:
    assert failure(functions, main, {"do": "write"})["errorType"] == "OSError"


def test_a_function_works_as_its_role(functions: Any, main: str, aws: Server, role: str) -> None:
    assert call(functions, main, {"do": "who"}) == f"arn:aws:sts::{aws.account}:assumed-role/function/main"
    call(functions, main, {"do": "keep", "key": "made"})
    assert json.load(aws.client("s3").get_object(Bucket=BUCKET, Key="made")["Body"])["key"] == "made"


@pytest.mark.slow("lambda")
def test_what_takes_too_long_is_ended(functions: Any, make: Callable[..., str]) -> None:
    make("slow", Timeout=2)
    before = call(functions, "slow")["environment"]
    answer = functions.invoke(FunctionName="slow", Payload=json.dumps({"do": "sleep", "seconds": 60}), LogType="Tail")
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert "Task timed out after 2.00 seconds" in base64.b64decode(answer["LogResult"]).decode()
    after = call(functions, "slow")
    assert after["calls"] == 1 and after["environment"] != before


@pytest.mark.slow("lambda")
def test_an_event_may_take_longer_than_other_requests(functions: Any, make: Callable[..., str]) -> None:
    make("long", Timeout=100)
    assert call(functions, "long", {"do": "sleep", "seconds": 63}) == "awake"


@pytest.mark.slow("lambda")
def test_memory_is_limited(functions: Any, make: Callable[..., str]) -> None:
    make("hungry", MemorySize=128)
    told = failure(functions, "hungry", {"do": "take", "mb": 700})
    assert told["errorType"] == "Runtime.ExitError" and told["errorMessage"].endswith("signal: killed")
    functions.update_function_configuration(FunctionName="hungry", MemorySize=1024)
    assert call(functions, "hungry", {"do": "take", "mb": 300}) == 300 << 20


@pytest.mark.slow("lambda")
def test_events_at_the_same_time_have_environments_of_their_own(functions: Any, make: Callable[..., str]) -> None:
    make("parallel")
    together = {"do": "sleep", "seconds": 1.5}
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: call(functions, "parallel", together), range(4))) == ["awake"] * 4
    with ThreadPoolExecutor(4) as threads:
        shown = list(threads.map(lambda _: call(functions, "parallel"), range(8)))
    assert {each["name"] for each in shown} == {"parallel"}


@pytest.mark.slow("lambda")
@pytest.mark.parametrize(
    ("code", "handler", "kind", "words"),
    [
        ("import nothing_such", "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("x = 1", "app", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack"),
        ("raise KeyError('x')", "app.handler", "KeyError", "'x'"),
    ],
    ids=["import", "syntax", "missing", "malformed", "raises"],
)
def test_code_that_does_not_start(
    functions: Any, make: Callable[..., str], code: str, handler: str, kind: str, words: str
) -> None:
    name = f"broken-{kind.rpartition('.')[2]}"
    make(name, zipped(app=code), Handler=handler)
    for _ in range(2):
        told = failure(functions, name, {})
        assert told["errorType"] == kind and told["errorMessage"].startswith(words)
    functions.update_function_code(FunctionName=name, ZipFile=archive())
    functions.update_function_configuration(FunctionName=name, Handler="app.handler")
    assert call(functions, name)["greeting"] == "hello"


@pytest.mark.slow("lambda")
def test_code_and_configuration_change(functions: Any, make: Callable[..., str], aws: Server) -> None:
    make("changing", Environment={"Variables": {"SECRET": "one"}})
    assert call(functions, "changing")["secret"] == "one"
    before = functions.get_function_configuration(FunctionName="changing")
    aws.client("s3").put_object(Bucket=BUCKET, Key="code.zip", Body=archive("good day"))
    after = functions.update_function_code(FunctionName="changing", S3Bucket=BUCKET, S3Key="code.zip")
    assert after["CodeSha256"] != before["CodeSha256"] and after["RevisionId"] != before["RevisionId"]
    functions.get_waiter("function_updated_v2").wait(FunctionName="changing", WaiterConfig={"Delay": 1})
    assert call(functions, "changing")["greeting"] == "good day"
    functions.update_function_configuration(FunctionName="changing", Environment={"Variables": {"SECRET": "two"}})
    assert call(functions, "changing")["secret"] == "two"
    assert functions.get_function(FunctionName="changing")["Configuration"]["Timeout"] == 60
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.update_function_code(FunctionName="changing", ZipFile=archive(), RevisionId=before["RevisionId"])
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match="S3 Error Code: NoSuchKey"):
        functions.update_function_code(FunctionName="changing", S3Bucket=BUCKET, S3Key="nothing.zip")
    functions.delete_function(FunctionName="changing")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName="changing")
    assert not [each for each in (aws.home / "jobs").glob("Function-*/spec.json") if '"changing"' in each.read_text()]


def test_payloads_have_limits(functions: Any, main: str) -> None:
    assert functions.invoke(FunctionName=main, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(functions.exceptions.InvalidRequestContentException, match="Could not parse request body"):
        functions.invoke(FunctionName=main, Payload=b"{")
    with pytest.raises(functions.exceptions.RequestTooLargeException, match="Request must be smaller than 6291456"):
        functions.invoke(FunctionName=main, Payload=json.dumps("x" * 6_291_456).encode())
    with pytest.raises(functions.exceptions.RequestTooLargeException, match="Request must be smaller than 1048576"):
        functions.invoke(FunctionName=main, Payload=json.dumps("x" * 1_048_576).encode(), InvocationType="Event")
    answer = functions.invoke(FunctionName=main, Payload=json.dumps({"x": "y" * 6_000_000}).encode())
    assert json.loads(answer["Payload"].read())["name"] == main


def test_later_means_that_nobody_waits(functions: Any, main: str, aws: Server) -> None:
    answer = functions.invoke(
        FunctionName=main, InvocationType="Event", Payload=json.dumps({"do": "keep", "key": "later"})
    )
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    aws.client("s3").get_waiter("object_exists").wait(Bucket=BUCKET, Key="later", WaiterConfig={"Delay": 1})


@pytest.mark.slow("lambda")
def test_what_fails_goes_where_its_function_wants_it(functions: Any, make: Callable[..., str], aws: Server) -> None:
    (done_url, done), (failed_url, failed) = queue(aws, "done"), queue(aws, "failed")
    dead_url, dead = queue(aws, "dead")
    arn = make("told", DeadLetterConfig={"TargetArn": dead})
    functions.put_function_event_invoke_config(
        FunctionName="told",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": done}, "OnFailure": {"Destination": failed}},
    )
    functions.invoke(FunctionName="told", InvocationType="Event", Payload=b'{"x": 1}')
    record = body(aws, done_url)
    assert record["requestContext"]["condition"] == "Success" and record["requestPayload"] == {"x": 1}
    assert record["responsePayload"]["name"] == "told"
    sent = functions.invoke(FunctionName="told", InvocationType="Event", Payload=b'{"do": "fail"}')
    record = body(aws, failed_url)
    assert record["requestContext"] == {
        "requestId": sent["ResponseMetadata"]["RequestId"],
        "functionArn": f"{arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no luck"
    letter = message(aws, dead_url)
    assert letter["Body"] == '{"do": "fail"}'
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no luck"
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == sent["ResponseMetadata"]["RequestId"]


@pytest.fixture(scope="module")
def teller(aws: Server, make: Callable[..., str]) -> tuple[str, str]:
    """A function that sends what it is called with to a queue: its ARN, and the queue's address."""
    url, _ = queue(aws, "seen")
    return make("teller", zipped(app=TOLD), Environment={"Variables": {"QUEUE": url}}), url


def permit(functions: Any, service: str, source: str) -> None:
    functions.add_permission(
        FunctionName="teller",
        StatementId=service.replace(".", "-"),
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source,
    )


def test_a_topic_calls_a_function(functions: Any, aws: Server, teller: tuple[str, str]) -> None:
    sns, (arn, url) = aws.client("sns"), teller
    topic = sns.create_topic(Name="news")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn, ReturnSubscriptionArn=True)
    permit(functions, "sns.amazonaws.com", topic)
    colour = {"colour": {"DataType": "String", "StringValue": "red"}}
    sent = sns.publish(TopicArn=topic, Message="hello", Subject="A greeting", MessageAttributes=colour)
    (record,) = body(aws, url)["Records"]
    assert record["EventSource"] == "aws:sns" and record["EventVersion"] == "1.0"
    assert record["EventSubscriptionArn"] == subscription["SubscriptionArn"]
    told = record["Sns"]
    assert (told["Message"], told["Subject"], told["TopicArn"]) == ("hello", "A greeting", topic)
    assert told["MessageId"] == sent["MessageId"] and told["Type"] == "Notification"
    assert told["MessageAttributes"] == {"colour": {"Type": "String", "Value": "red"}}


def test_a_bucket_calls_a_function(functions: Any, aws: Server, teller: tuple[str, str]) -> None:
    s3, (arn, url) = aws.client("s3"), teller
    wanted = {"Id": "new", "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    wanted["Filter"] = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}}
    configuration = {"LambdaFunctionConfigurations": [wanted]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
    permit(functions, "s3.amazonaws.com", f"arn:aws:s3:::{BUCKET}")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
    shown = s3.get_bucket_notification_configuration(Bucket=BUCKET)["LambdaFunctionConfigurations"]
    assert shown[0]["LambdaFunctionArn"] == arn and shown[0]["Events"] == ["s3:ObjectCreated:*"]
    s3.put_object(Bucket=BUCKET, Key="in/a b", Body=b"x")
    (record,) = body(aws, url)["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["s3"]["object"]["key"] == "in/a+b" and record["s3"]["bucket"]["name"] == BUCKET


def test_a_rule_calls_a_function(functions: Any, aws: Server, teller: tuple[str, str]) -> None:
    events, (arn, url) = aws.client("events"), teller
    rule = events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))["RuleArn"]
    assert not events.put_targets(Rule="orders", Targets=[{"Id": "f", "Arn": arn}])["FailedEntryCount"]
    permit(functions, "events.amazonaws.com", rule)
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": '{"id": 7}'}])
    event = body(aws, url)
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "order", {"id": 7})


def test_an_alarm_calls_a_function(functions: Any, aws: Server, teller: tuple[str, str]) -> None:
    cloudwatch, (arn, url) = aws.client("cloudwatch"), teller
    cloudwatch.put_metric_alarm(
        AlarmName="hot",
        Namespace="Oven",
        MetricName="Heat",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=200.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    alarm = cloudwatch.describe_alarms(AlarmNames=["hot"])["MetricAlarms"][0]["AlarmArn"]
    permit(functions, "lambda.alarms.cloudwatch.amazonaws.com", alarm)
    cloudwatch.set_alarm_state(AlarmName="hot", StateValue="ALARM", StateReason="a test")
    event = body(aws, url)
    assert (event["source"], event["alarmArn"], event["region"]) == ("aws.cloudwatch", alarm, "us-east-1")
    assert event["alarmData"]["alarmName"] == "hot"
    assert (event["alarmData"]["state"]["value"], event["alarmData"]["state"]["reason"]) == ("ALARM", "a test")
    assert event["alarmData"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "Heat"


@pytest.mark.slow("lambda")
def test_a_queue_calls_a_function(functions: Any, make: Callable[..., str], aws: Server) -> None:
    sqs, (source_url, source) = aws.client("sqs"), queue(aws, "source")
    seen_url, _ = queue(aws, "batches")
    code = TOLD.replace('return {"seen": True}', "return pick(event)") + PICK
    arn = make("picker", zipped(app=code), Environment={"Variables": {"QUEUE": seen_url}})
    sqs.set_queue_attributes(QueueUrl=source_url, Attributes={"VisibilityTimeout": "3"})
    made = functions.create_event_source_mapping(
        EventSourceArn=source, FunctionName="picker", BatchSize=2, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    assert made["FunctionArn"] == arn and made["State"] == "Creating"
    colour = {"colour": {"DataType": "String", "StringValue": "red"}}
    sent = sqs.send_message(QueueUrl=source_url, MessageBody="good", MessageAttributes=colour)
    (record,) = body(aws, seen_url)["Records"]
    assert (record["messageId"], record["body"]) == (sent["MessageId"], "good")
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", source, "us-east-1")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    entries = [{"Id": each, "MessageBody": each} for each in ("bad", "fine")]
    sqs.send_message_batch(QueueUrl=source_url, Entries=entries)
    # What the function says it failed on comes again, and nothing else.
    bodies = [[each["body"] for each in body(aws, seen_url)["Records"]] for _ in range(3)]
    assert [each for bunch in bodies for each in bunch].count("fine") == 1
    assert bodies[-1] == ["bad"]
    identifier = made["UUID"]
    assert functions.get_event_source_mapping(UUID=identifier)["State"] == "Enabled"
    functions.update_event_source_mapping(UUID=identifier, Enabled=False)
    assert functions.list_event_source_mappings(FunctionName="picker")["EventSourceMappings"][0]["State"] == "Disabled"
    with pytest.raises(functions.exceptions.ResourceConflictException, match="already exists"):
        functions.create_event_source_mapping(EventSourceArn=source, FunctionName="picker")
    functions.delete_event_source_mapping(UUID=identifier)
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_event_source_mapping(UUID=identifier)


def test_policies_decide_who_calls(functions: Any, aws: Server, main: str) -> None:
    iam = aws.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": aws.account}, "Action": "sts:AssumeRole"}
    everybody = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="caller", AssumeRolePolicyDocument=everybody)
    caller = aws.session(role="caller").client("lambda")
    with pytest.raises(ClientError) as refused:
        caller.invoke(FunctionName=main)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda" in str(refused.value)
    functions.add_permission(
        FunctionName=main,
        StatementId="caller",
        Action="lambda:InvokeFunction",
        Principal=f"arn:aws:iam::{aws.account}:role/caller",
    )
    assert call(caller, main)["name"] == main


def environments(aws: Server) -> set[str]:
    return {each.parent.name for each in (aws.home / "jobs").glob("Function-*/spec.json")}


@pytest.mark.slow("lambda")
def test_a_control_plane_that_is_killed_leaves_nothing_and_loses_no_event(
    functions: Any, make: Callable[..., str], aws: Server
) -> None:
    make("survivor")
    before = call(functions, "survivor")["environment"]
    s3 = aws.client("s3")
    event = json.dumps({"do": "keep_slowly", "key": "survived"})
    functions.invoke(FunctionName="survivor", InvocationType="Event", Payload=event)
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="survived-begun", WaiterConfig={"Delay": 1})
    left = environments(aws)
    assert left
    running = json.loads((aws.home / "run" / "supervisor.json").read_text())["children"]
    os.kill(running["control"]["pid"], signal.SIGKILL)
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="survived", WaiterConfig={"Delay": 1})
    wait_for(lambda: not left & environments(aws), what="the end of the environments before")
    assert call(functions, "survivor")["environment"] != before
