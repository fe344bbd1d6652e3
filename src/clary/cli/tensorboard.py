"""TensorBoard on what training jobs write for it into the store.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TensorBoardOutputConfig.html
"""

from __future__ import annotations

import os
from typing import NoReturn

from clary.cli import environment
from clary.cli.client import ApiError, Client
from clary.cli.images import pull
from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.compute.images.catalog import catalogue
from clary.compute.images.environments import ImageStore

IMAGE = "tensorboard"


def show(installation: Installation, name: str, port: int) -> NoReturn:
    """Become TensorBoard on the events of a training job, or on all below an S3 URI; it looks for new ones by itself.

    Raises ``Mistake`` for a job that is not there or writes none.
    """
    folder = name if name.startswith("s3://") else _events(installation.client(), name)
    pull(installation, [IMAGE])
    python = ImageStore(installation.settings).environment(catalogue().images[IMAGE]) / "bin" / "python"
    arguments = ["--logdir", folder, "--host", "127.0.0.1", "--port", str(port)]
    # The fast loader, a program of its own, cannot read from S3.
    arguments += ["--load_fast", "false", "--reload_interval", "5"]
    print(f"TensorBoard on {folder}; Ctrl-C ends it.", flush=True)
    os.execve(python, [str(python), "-m", "tensorboard.main", *arguments], environment.for_subprocess(installation))


def _events(client: Client, job: str) -> str:
    try:
        described = client.call("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    except ApiError as error:
        raise Mistake(f"there is no training job {job!r}") from error
    config = described.get("TensorBoardOutputConfig")
    if config is None:
        raise Mistake(f"the training job {job!r} has no TensorBoardOutputConfig; name an S3 URI instead")
    return f"{config['S3OutputPath'].rstrip('/')}/{job}/tensorboard-output"
