"""``InvokeEndpointWithResponseStream``: answers that reach the client piece by piece.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from parity_lab import SKLEARN, Lab

HANDLER = """
    import threading

    go = threading.Event()

    def model_fn(folder):
        return None

    def input_fn(body, content_type):
        return body.decode() if isinstance(body, bytes) else body

    def predict_fn(data, model):
        if data == "wrong":
            raise ValueError("this is wrong")
        return data

    def output_fn(data, accept):
        if data == "go":
            go.set()
            return "gone", "text/plain"
        return pieces(data), accept

    def pieces(data):
        yield "first "
        if data == "wait":
            assert go.wait(60)
        if data == "break":
            raise RuntimeError("broken")
        if data == "large":
            for _ in range(200):
                yield b"x" * 65536
        yield "last"
    """


@pytest.fixture
def runtime(lab: Lab) -> Iterator[Any]:
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    lab.model("streams", None, SKLEARN, Environment=variables)
    lab.endpoint_config("streams", "streams")
    lab.sagemaker.create_endpoint(EndpointName="streams", EndpointConfigName="streams")
    assert lab.endpoint_settled("streams")["EndpointStatus"] == "InService"
    yield lab.runtime
    lab.sagemaker.delete_endpoint(EndpointName="streams")


def ask(runtime: Any, body: str) -> Any:
    return runtime.invoke_endpoint_with_response_stream(
        EndpointName="streams", ContentType="text/plain", Accept="text/plain", Body=body
    )


def test_pieces_come_as_they_are_made(runtime: Any) -> None:
    answer = ask(runtime, "wait")
    assert answer["ContentType"] == "text/plain" and answer["InvokedProductionVariant"] == "AllTraffic"
    events = iter(answer["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"first "
    # The container goes on only now: the first piece did not wait for the last.
    runtime.invoke_endpoint(EndpointName="streams", ContentType="text/plain", Body="go")
    assert b"".join(event["PayloadPart"]["Bytes"] for event in events) == b"last"


def test_a_large_answer_is_whole(runtime: Any) -> None:
    size = sum(len(event["PayloadPart"]["Bytes"]) for event in ask(runtime, "large")["Body"])
    assert size == len("first last") + 200 * 65536


def test_an_answer_that_breaks_off_says_so(runtime: Any) -> None:
    events = iter(ask(runtime, "break")["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"first "
    with pytest.raises(EventStreamError, match=r"ModelStreamError.*AllTraffic broke off"):
        next(events)


def test_an_error_before_the_first_piece_is_an_ordinary_one(runtime: Any) -> None:
    with pytest.raises(ClientError, match="this is wrong") as refused:
        ask(runtime, "wrong")
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 500
    with pytest.raises(ClientError, match="not found"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="nothing", Body=b"")


def test_a_client_that_leaves_harms_nobody(runtime: Any) -> None:
    for _ in range(5):
        answer = ask(runtime, "large")
        next(iter(answer["Body"]))
        answer["Body"].close()
    assert b"".join(event["PayloadPart"]["Bytes"] for event in ask(runtime, "short")["Body"]) == b"first last"


def test_a_streamed_answer_can_be_taken_whole(runtime: Any) -> None:
    answer = runtime.invoke_endpoint(EndpointName="streams", ContentType="text/plain", Body="short")
    assert answer["Body"].read() == b"first last"
