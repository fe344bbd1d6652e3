"""What a training script is given: its arguments and the ``SM_…`` environment variables."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from clary_runtimes.contract.machine import cpus, gpus
from clary_runtimes.contract.training import TrainingInput
from clary_runtimes.frameworks.distributed import launch

PREFIX = "sagemaker_"
_OURS = ("_tuning_objective_metric", "default_user_module_name")
_NOT_ADDITIONAL = (
    "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics", "sagemaker_region",
    "sagemaker_container_log_level", "sagemaker_job_name", "sagemaker_s3_output",
)  # fmt: skip


class ScriptEnvironment(NamedTuple):
    """The program and what is passed to it."""

    program: str
    submit_directory: str
    arguments: list[str]
    variables: dict[str, str]
    prefix: list[str]
    """What is to start a program in Python, in place of the interpreter; empty for the interpreter itself."""


def script_environment(job: TrainingInput, environ: Mapping[str, str] | None = None) -> ScriptEnvironment:
    """What ``job`` passes to its script.

    Hyperparameters whose names begin with ``sagemaker_`` are for the container; the others become arguments and
    ``SM_HP_…`` variables, decoded from JSON where the client encoded them so.
    """
    environ = os.environ if environ is None else environ
    decoded = {name: _decode(value) for name, value in job.hyperparameters.items()}
    internal = {name: value for name, value in decoded.items() if name.startswith(PREFIX) or name in _OURS}
    hyperparameters = {name: value for name, value in decoded.items() if name not in internal}
    program = environ.get("SAGEMAKER_PROGRAM") or str(internal.get("sagemaker_program", ""))
    submit = environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or internal.get("sagemaker_submit_directory")
    arguments = command_arguments(hyperparameters)
    facts = _facts(job, program, str(submit or job.folders.code), hyperparameters, internal)
    values: dict[str, Any] = {
        "hosts": facts["hosts"],
        "network_interface_name": facts["network_interface_name"],
        "hps": hyperparameters,
        "user_entry_point": program,
        "framework_params": facts["additional_framework_parameters"],
        "resource_config": facts["resource_config"],
        "input_data_config": facts["input_data_config"],
        "output_data_dir": facts["output_data_dir"],
        "channels": sorted(facts["channel_input_dirs"]),
        "training_env": facts,
        "user_args": arguments,
        "framework_module": None,
    }
    for name in (
        "current_host", "current_instance_type", "current_instance_group", "current_instance_group_hosts",
        "instance_groups", "instance_groups_dict", "distribution_instance_groups", "is_hetero", "module_name",
        "log_level", "input_dir", "input_config_dir", "output_dir", "num_cpus", "num_gpus", "num_neurons", "model_dir",
        "module_dir", "output_intermediate_dir",
    ):  # fmt: skip
        values[name] = facts[name]
    for name, path in facts["channel_input_dirs"].items():
        values[f"channel_{name}"] = path
    for name, value in hyperparameters.items():
        values[f"hp_{name}"] = value
    variables = {f"SM_{name.upper()}": _text(value) for name, value in values.items()}
    variables["SAGEMAKER_JOB_NAME"] = facts["job_name"]
    variables["SAGEMAKER_REGION"] = str(internal.get("sagemaker_region") or environ.get("AWS_REGION", ""))
    variables["CURRENT_HOST"] = facts["current_host"]
    started = launch(facts["hosts"], facts["instance_groups_dict"], facts["current_host"], internal)
    variables.update(started.variables)
    return ScriptEnvironment(program, str(submit or ""), arguments, variables, started.prefix)


def command_arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """``{"epochs": 2, "n": 1}`` as ``--epochs 2 -n 1``, sorted by name; mappings are written ``a=1,b=2``."""
    arguments = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={value[key]}" for key in sorted(value))
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
    return arguments


def _facts(
    job: TrainingInput, program: str, module_dir: str, hyperparameters: dict[str, Any], internal: dict[str, Any]
) -> dict[str, Any]:
    folders, resources = job.folders, job.resources
    document = resources.document
    group = document.get("current_group_name", "homogeneousCluster")
    groups = document.get("instance_groups") or [
        {
            "instance_group_name": group,
            "instance_type": document.get("current_instance_type", "local"),
            "hosts": list(resources.hosts),
        }
    ]
    by_name = {entry["instance_group_name"]: entry for entry in groups}
    level = internal.get("sagemaker_container_log_level", logging.INFO)
    return {
        "additional_framework_parameters": {
            name: value for name, value in internal.items() if name.startswith(PREFIX) and name not in _NOT_ADDITIONAL
        },
        "channel_input_dirs": {name: str(channel.path) for name, channel in job.channels.items()},
        "current_host": resources.current_host,
        "current_instance_group": group,
        "current_instance_group_hosts": list(by_name.get(group, groups[0])["hosts"]),
        "current_instance_type": document.get("current_instance_type", "local"),
        "distribution_hosts": [],
        "distribution_instance_groups": internal.get("sagemaker_distribution_instance_groups", []),
        "framework_module": None,
        "hosts": list(resources.hosts),
        "hyperparameters": hyperparameters,
        "input_config_dir": str(folders.config),
        "input_data_config": dict(job.input_data_config),
        "input_dir": str(folders.input),
        "instance_groups": list(by_name),
        "instance_groups_dict": by_name,
        "is_hetero": len(groups) > 1,
        "is_master": resources.is_leader,
        "job_name": str(internal.get("sagemaker_job_name") or job.name),
        "log_level": level,
        "master_hostname": resources.hosts[0],
        "model_dir": str(folders.model),
        "module_dir": module_dir,
        "module_name": program.removesuffix(".py"),
        "network_interface_name": resources.network_interface,
        "num_cpus": cpus(),
        "num_gpus": gpus(),
        "num_neurons": 0,
        "output_data_dir": str(folders.output_data),
        "output_dir": str(folders.output),
        "output_intermediate_dir": str(folders.output / "intermediate"),
        "resource_config": dict(document),
        "user_entry_point": program,
    }


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
