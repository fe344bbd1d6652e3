"""How scripts are started on several hosts."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks.distributed import launch

HOSTS = ["algo-1", "algo-2", "algo-3"]
GROUPS = {"a": {"hosts": ["algo-1"]}, "b": {"hosts": ["algo-2", "algo-3"]}}


def test_without_a_distribution_scripts_know_where_to_meet() -> None:
    started = launch(HOSTS, GROUPS, "algo-2", {})
    assert started.prefix == []
    assert started.variables == {"MASTER_ADDR": "algo-1", "MASTER_PORT": "7777"}


def test_torchrun_meets_on_the_first_host() -> None:
    prefix = launch(HOSTS, GROUPS, "algo-3", {"sagemaker_torch_distributed_enabled": True}).prefix
    assert prefix[:3] == [sys.executable, "-m", "torch.distributed.run"]
    options = dict(zip(prefix[3::2], prefix[4::2], strict=True))
    assert options["--nnodes"] == "3" and options["--node_rank"] == "2" and options["--master_addr"] == "algo-1"
    alone = launch(HOSTS[:1], {}, "algo-1", {"sagemaker_torch_distributed_enabled": True}).prefix
    assert "--master_addr" not in alone and alone[3:5] == ["--nnodes", "1"]


def test_groups_that_take_part() -> None:
    given = {"sagemaker_torch_distributed_enabled": True, "sagemaker_distribution_instance_groups": ["b"]}
    prefix = launch(HOSTS, GROUPS, "algo-3", given).prefix
    options = dict(zip(prefix[3::2], prefix[4::2], strict=True))
    assert (options["--nnodes"], options["--node_rank"], options["--master_addr"]) == ("2", "1", "algo-2")
    assert launch(HOSTS, GROUPS, "algo-1", given) == ([], {})


def test_workers_of_tensorflow_have_ports_of_their_own() -> None:
    variables = launch(HOSTS, {}, "algo-2", {"sagemaker_multi_worker_mirrored_strategy_enabled": True}).variables
    assert json.loads(variables["TF_CONFIG"]) == {
        "cluster": {"worker": ["algo-1:8890", "algo-2:8891", "algo-3:8892"]},
        "task": {"type": "worker", "index": 1},
    }


def test_mpi_on_one_host() -> None:
    given: dict[str, Any] = {
        "sagemaker_mpi_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 4,
        "sagemaker_mpi_custom_mpi_options": "--tag-output -x A=1",
    }
    prefix = launch(HOSTS[:1], {}, "algo-1", given).prefix
    assert prefix[0] == "mpirun" and prefix[-3:] == [sys.executable, "-m", "mpi4py"]
    assert prefix[prefix.index("-np") + 1] == "4" and prefix[-6:-3] == ["--tag-output", "-x", "A=1"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sagemaker_mpi_enabled": True}, "MPI reaches one host"),
        ({"sagemaker_parameter_server_enabled": True}, "parameter server is not available"),
        ({"sagemaker_distributed_dataparallel_enabled": True}, "data parallel library is not available"),
    ],
)
def test_what_there_is_not_is_said_so(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        launch(HOSTS, GROUPS, "algo-1", given)
