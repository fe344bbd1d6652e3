"""An endpoint is being deployed, updated or in service when processes are killed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")


def begin(plant: Any) -> str:
    """The id of the server of an endpoint that is in the middle of its deployment."""
    plant.deploy("endpoint", wait=True)
    job: str = plant.job("Endpoint-")
    plant.await_middle(job)
    return job


def check_service(plant: Any, word: str = "first") -> None:
    plant.await_service("endpoint")
    assert plant.invoke("endpoint", "hello")[:2] == (word, "hello")


def check_single(plant: Any, wait_until: Any) -> None:
    """One server answers, and nothing is left after the endpoint is deleted."""
    wait_until(lambda: len(plant.placement.list()) == 1, 20, plant.placement.list)
    assert len({plant.invoke("endpoint", str(number))[2] for number in range(8)}) == 1
    # The gates of a job's network are the same program.
    agents = [command for command in plant.job_processes().values() if "agent/__main__.py /" in command]
    assert len(agents) == 1, agents
    plant.delete_endpoint("endpoint")
    plant.await_rest()


@pytest.mark.parametrize("victims", [["edge"], ["control"], ["edge", "control"]], ids=" and ".join)
def test_what_the_supervisor_starts_again(plant: Any, wait_until: Any, victims: list[str]) -> None:
    job = begin(plant)
    plant.kill(*victims)
    plant.go(job)
    check_service(plant)
    assert plant.placement.observe(job).attempt == 1
    check_single(plant, wait_until)


@pytest.mark.parametrize("more", [[], ["edge", "control"]], ids=lambda more: " and ".join(more))
def test_the_supervisor_and_the_next_clary_up(plant: Any, wait_until: Any, more: list[str]) -> None:
    job = begin(plant)
    plant.kill("supervisor", *more)
    plant.go(job)
    plant.up()
    check_service(plant)
    assert plant.placement.observe(job).attempt == 1
    check_single(plant, wait_until)


@pytest.mark.parametrize("more", [[], ["supervisor", "edge", "control"]], ids=lambda more: " and ".join(more))
def test_the_agent(plant: Any, wait_until: Any, more: list[str]) -> None:
    job = begin(plant)
    before = set(plant.job_processes())
    plant.kill(job, *more)
    if more:
        plant.up()
    plant.await_middle(job, attempt=2)
    assert not before & set(plant.job_processes()), "something of the first attempt lives"
    plant.go(job)
    check_service(plant)
    check_single(plant, wait_until)


def test_an_agent_that_dies_over_and_over_is_a_failure(plant: Any, wait_until: Any) -> None:
    job = begin(plant)
    for attempt in range(1, 6):
        plant.await_middle(job, attempt)
        plant.kill(job)
    sagemaker = plant.client("sagemaker")
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="endpoint")["EndpointStatus"] != "Creating")
    described = sagemaker.describe_endpoint(EndpointName="endpoint")
    assert described["EndpointStatus"] == "Failed"
    assert "the agent of its server died 5 times" in described["FailureReason"]
    wait_until(lambda: plant.job_processes() == {}, 20, plant.job_processes)


@pytest.mark.parametrize("victims", [["control"], ["edge", "control"], ["supervisor", "edge", "control"]], ids=" ".join)
def test_an_update(plant: Any, wait_until: Any, victims: list[str]) -> None:
    plant.deploy("endpoint")
    check_service(plant)
    first = plant.job("Endpoint-")
    plant.prepare_endpoint("next", wait=True, answer="second")
    plant.client("sagemaker").update_endpoint(EndpointName="endpoint", EndpointConfigName="next")
    second = first.replace("-1.0", "-2.0")
    wait_until(lambda: second in plant.placement.list())
    plant.await_middle(second)
    plant.kill(*victims)
    if "supervisor" in victims:
        plant.up()
    assert plant.invoke("endpoint", "meanwhile")[0] == "first"
    plant.go(second)
    check_service(plant, "second")
    assert plant.client("sagemaker").describe_endpoint(EndpointName="endpoint")["EndpointConfigName"] == "next"
    check_single(plant, wait_until)


def test_an_endpoint_in_service_whose_agent_dies(plant: Any, wait_until: Any) -> None:
    plant.deploy("endpoint")
    check_service(plant)
    job = plant.job("Endpoint-")
    before = set(plant.job_processes())
    plant.kill(job)
    wait_until(lambda: plant.placement.observe(job).attempt == 2 and plant.placement.observe(job).address)
    assert not before & set(plant.job_processes()), "something of the first attempt lives"
    check_service(plant)
    check_single(plant, wait_until)


def test_a_model_server_that_dies(plant: Any, wait_until: Any) -> None:
    plant.deploy("endpoint")
    check_service(plant)
    job = plant.job("Endpoint-")
    agent, server = plant.pid(job), plant.server_pid(job)
    plant.kill_server(job)
    wait_until(lambda: plant.server_pid(job) != server and plant.placement.observe(job).address)
    check_service(plant)
    assert plant.pid(job) == agent
    # Once more, while nobody watches: the route that the edge finds when it is back is the new one.
    server = plant.server_pid(job)
    plant.kill("control")
    plant.kill_server(job)
    wait_until(lambda: plant.server_pid(job) != server and plant.placement.observe(job).address)
    check_service(plant)
    check_single(plant, wait_until)


def test_a_deletion(plant: Any, wait_until: Any) -> None:
    plant.deploy("endpoint")
    check_service(plant)
    plant.client("sagemaker").delete_endpoint(EndpointName="endpoint")
    plant.kill("control")
    wait_until(lambda: not plant.client("sagemaker").list_endpoints()["Endpoints"])
    plant.await_rest()
