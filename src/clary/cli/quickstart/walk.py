"""``clary quickstart``: walks the main job and says how long each stage took."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from clary.cli.installation import Installation
from clary.cli.quickstart.display import Display

if TYPE_CHECKING:
    from clary.cli.quickstart.steps import Steps

_TELLING = ("Building", "Downloading", "Resolved", "Prepared", "Installed", "Bytecode")
"""What a line about the building of an image must begin with to be worth showing."""


def walk(installation: Installation, keep: bool, port: int | None) -> None:
    """Start Clary if it is not running, do the main job, and clean up unless ``keep``. Raises ``Mistake``."""
    display = Display()
    started = False
    try:
        with display.stage("Start Clary") as say:
            if (running := installation.running) is None:
                installation.start(port)
                started = True
                running = installation.require()
            say(running.url)
            steps = _steps(installation)
        try:
            rows, accuracy, area = _job(steps, display)
        except BaseException:
            if not keep:
                with display.stage("Clean up"):
                    steps.clean()
            raise
        if not keep:
            with display.stage("Clean up"):
                steps.clean()
        display.results(rows, accuracy, area)
    finally:
        if started and not keep:
            installation.stop()
    if keep:
        _show_how_to_go_on(installation, steps, display)


def _job(steps: Steps, display: Display) -> tuple[int, float, float]:
    from clary.cli.quickstart.scores import accuracy, area_under_curve

    with display.stage("Prepare the data (processing job)") as say:
        steps.prepare(say)
    with display.stage("Train XGBoost (training job)") as say:
        job = steps.train(say)
    for metric in job.get("FinalMetricDataList", []):
        display.note(f"{metric['MetricName']} = {metric['Value']:.4f}")
    with display.stage("Deploy (model, configuration, endpoint)") as say:
        steps.deploy(job, say)
    with display.stage("Predict the held-out rows") as say:
        labels, scores = steps.predict(say)
    return len(labels), accuracy(labels, scores), area_under_curve(labels, scores)


def _steps(installation: Installation) -> Steps:
    """The steps, with boto3 set up as `eval "$(clary env)"` does it for anybody."""
    from clary.cli import environment

    variables = environment.for_subprocess(installation)
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)

    import boto3

    from clary.cli.quickstart.steps import Steps

    settings = installation.settings
    return Steps(
        session=boto3.Session(),
        role_arn=installation.role_arn(),
        bucket=f"sagemaker-{settings.region}-{settings.account}",
        name=time.strftime("quickstart-%Y-%m-%d-%H-%M-%S", time.gmtime()),
        image_progress=_image_progress(installation),
    )


def _image_progress(installation: Installation) -> Callable[[str], str]:
    """What is happening with the environment of an image: the first job with an image waits until it is built."""
    from clary.cli.quickstart.steps import PROCESSING_IMAGE, TRAINING_IMAGE
    from clary.compute.images.environments import ImageStore

    store = ImageStore(installation.settings)
    # On a machine that has neither yet, both are built at once, while the first job waits for the first.
    for uri in (PROCESSING_IMAGE, TRAINING_IMAGE):
        store.ensure(uri)

    def progress(uri: str) -> str:
        found = store.progress(uri)
        if found.state != "building":
            return ""
        return f"preparing the image: {found.message}" if found.message.startswith(_TELLING) else "preparing the image"

    return progress


def _show_how_to_go_on(installation: Installation, steps: Steps, display: Display) -> None:
    clary = installation.command
    lines = [
        "",
        "[bold]Everything is left running.[/bold] Go on with:",
        f'    eval "$({clary("env")})"',
        f"    {clary('logs')} {steps.name}",
        f"    aws s3 cp {steps.uri('data', 'test', 'data.csv')} - |",
        "        tail -n 1 | cut -d, -f2- |",
        "        aws sagemaker-runtime invoke-endpoint --content-type text/csv --body fileb:///dev/stdin \\",
        f"            --endpoint-name {steps.name} /dev/stdout",
        "Remove it with:",
        f"    aws sagemaker delete-endpoint --endpoint-name {steps.name}",
        f"    aws sagemaker delete-endpoint-config --endpoint-config-name {steps.name}",
        f"    aws sagemaker delete-model --model-name {steps.name}",
        f"    aws s3 rm --recursive s3://{steps.bucket}/{steps.name}/",
        f"    {clary('down')}",
    ]
    if shutil.which("aws") is None:
        lines.append("(aws is the AWS CLI: https://aws.amazon.com/cli/)")
    for line in lines:
        display.console.print(line)
