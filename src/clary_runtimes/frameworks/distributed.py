"""How a script is started on several hosts or as several processes: what the estimators' ``distribution`` asks for.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/distributed-training.html,
https://docs.pytorch.org/docs/stable/elastic/run.html and https://www.tensorflow.org/guide/distributed_training
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.machine import gpus

MASTER_PORT = 7777
"""Where the processes of PyTorch meet, on the first host."""
WORKER_PORT = 8890
"""Where TensorFlow's first worker listens; the second one listens on the next, and so on, since a worker takes its port
on every address, and hosts may share a network."""

_TORCH, _MPI = "sagemaker_torch_distributed_enabled", "sagemaker_mpi_enabled"
_MULTI_WORKER = "sagemaker_multi_worker_mirrored_strategy_enabled"
_ELSEWHERE = {
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's distributed data parallel library",
    "sagemaker_pytorch_xla_multi_worker_enabled": "PyTorch XLA",
    "sagemaker_parameter_server_enabled": "The parameter server",
}
_INSTEAD = "Start the script on every host (leave out `distribution`), or use torch_distributed."


class Launch(NamedTuple):
    """How to start the script."""

    prefix: list[str]
    """What takes the place of the interpreter; empty to start it as ever."""
    variables: dict[str, str]


def launch(hosts: Sequence[str], groups: Mapping[str, Any], host: str, given: Mapping[str, Any]) -> Launch:
    """How the script is started on ``host``, one of ``hosts``.

    ``groups`` are the instance groups by name, and ``given`` the hyperparameters for the container. Raises
    ``UserError`` for a way of distribution that there is not.
    """
    if chosen := given.get("sagemaker_distribution_instance_groups"):
        hosts = [each for name in chosen for each in groups[name]["hosts"]]
    for name, words in _ELSEWHERE.items():
        if given.get(name):
            raise UserError(f"{words} is not available in this image. {_INSTEAD}")
    # Scripts that call `init_process_group` themselves find the first host by these.
    variables = {"MASTER_ADDR": hosts[0], "MASTER_PORT": str(MASTER_PORT)}
    if host not in hosts:
        return Launch([], {})
    if given.get(_TORCH):
        return Launch(_torchrun(hosts, host), variables)
    if given.get(_MULTI_WORKER):
        workers = [f"{each}:{WORKER_PORT + number}" for number, each in enumerate(hosts)]
        task = {"type": "worker", "index": hosts.index(host)}
        return Launch([], {"TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": task})})
    if given.get(_MPI):
        return Launch(_mpirun(hosts, given), variables)
    return Launch([], variables)


def _torchrun(hosts: Sequence[str], host: str) -> list[str]:
    words = ["--nnodes", str(len(hosts)), "--nproc_per_node", str(max(1, gpus()))]
    if len(hosts) > 1:
        words += ["--master_addr", hosts[0], "--master_port", str(MASTER_PORT), "--node_rank", str(hosts.index(host))]
    return [sys.executable, "-m", "torch.distributed.run", *words]


def _mpirun(hosts: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    if len(hosts) > 1:
        raise UserError(f"MPI reaches one host here. {_INSTEAD}")
    processes = given.get("sagemaker_mpi_num_of_processes_per_host") or max(1, gpus())
    more = str(given.get("sagemaker_mpi_custom_mpi_options") or "").split()
    # mpi4py ends all processes where one of them fails.
    return [
        "mpirun",
        "--allow-run-as-root",
        "--oversubscribe",
        "-np",
        str(processes),
        *more,
        sys.executable,
        "-m",
        "mpi4py",
    ]
