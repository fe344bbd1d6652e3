"""Draws the pictures of docs/studio.md in ``docs/images/studio``: ``./dev studio pictures``.

What they show is real: jobs run, an endpoint answers, and every picture is taken from a Clary of its own.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright
from studio_contents import IMAGE, PASSWORD, Run, channel, experiment
from studio_pages import ROOT, Studio, chromium

from clary.cli.installation import Installation
from clary.core.settings import load
from clary.testing.server import Server, server

FOLDER = ROOT / "docs" / "images" / "studio"
SIZE = {"width": 1440, "height": 900}
QUALITY = 82
SOON = {"Delay": 1, "MaxAttempts": 240}
JOB_MS = 240_000
WINES = ROOT / "src" / "clary" / "studio" / "web" / "src" / "pages" / "home" / "start" / "wine.csv"
ROW = "14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,1065"


_LEARN = """
import joblib, numpy
from sklearn.linear_model import SGDClassifier
rows = numpy.loadtxt("/opt/ml/input/data/train_0", delimiter=",")
model = SGDClassifier()
for epoch in range(1, 7):
    model.partial_fit(rows[:, 1:], rows[:, 0], classes=[0, 1, 2])
    joblib.dump(model, f"/opt/ml/checkpoints/epoch-{epoch}.joblib")
"""
"""A script that reads its data from a pipe, and saves its model after each epoch."""


class Album:
    """Takes pictures of a tab, each in light and in dark."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._screen = page.context.new_cdp_session(page)

    def take(self, name: str) -> None:
        """Keep what the tab shows now."""
        for theme in ("light", "dark"):
            self._page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            expect(self._page.locator("body.awsui-dark-mode")).to_have_count(1 if theme == "dark" else 0)
            # Charts are drawn anew in the colours of the theme.
            self._page.wait_for_timeout(400)
            picture = self._screen.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
            (FOLDER / f"{name}-{theme}.webp").write_bytes(base64.b64decode(picture["data"]))
        self._page.emulate_media(color_scheme="light", reduced_motion="reduce")


@contextmanager
def opened(running: Server) -> Iterator[Studio]:
    """A tab in which nobody is signed in yet."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        context = browser.new_context(viewport=SIZE, reduced_motion="reduce", locale="en-US", timezone_id="UTC")  # type: ignore[arg-type]
        yield Studio(context.new_page(), f"{running.url}/studio")
        browser.close()


def main() -> None:
    """Make the content, page by page, and take a picture where there is something to see."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with server() as running, opened(running) as studio:
        take = Album(studio.page).take
        studio.page.goto(f"{studio.base}/")
        expect(studio.heading("Sign in to Clary Studio")).to_be_visible()
        studio.page.get_by_label("User name").fill("ada")
        take("sign-in")
        studio.page.goto(Installation(load(running.home, {})).studio_link())
        studio.settle()

        _rates(running)
        _people(running)
        studio.open("/")
        studio.button("Start processing").click()
        _ended(studio)
        studio.open("/")
        studio.button("Start training").click()
        _ended(studio)
        first = studio.page.get_by_role("heading", level=1).inner_text()
        studio.button("Deploy").click()
        studio.page.wait_for_url("**/endpoints/wine-classifier-*")
        endpoint = studio.page.url.rsplit("/", 1)[1]
        running.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig=SOON)
        traffic = _Traffic(running, endpoint)

        jobs = [
            first,
            _train(running, first, "wine-classifier-small", neurons="3"),
            _train(running, first, "wine-classifier-slow", **{"learning-rate": "0.0008"}),
        ]
        _train(running, first, "wine-classifier-broken", neurons="none")
        for job in jobs[1:]:
            running.client("sagemaker").get_waiter("training_job_completed_or_stopped").wait(
                TrainingJobName=job, WaiterConfig=SOON
            )
        _register(running, jobs)
        traffic.some()
        _live(studio, take, running, first)
        _algorithms(studio, take, running)
        _tuning(studio, take, running)
        traffic.some()
        _pages(studio, take, first)
        while traffic.minutes() < 4:
            traffic.some()
        _endpoint(studio, take, endpoint)
        problems = [each for each in studio.problems if "401" not in each]
        assert not problems, problems


def _live(studio: Studio, take: Callable[[str], None], running: Server, first: str) -> None:
    """A job that runs: the home page, its charts and its log."""
    job = _train(running, first, "wine-classifier-long", epochs="6000", **{"learning-rate": "0.002"})
    studio.open(f"/training-jobs/{job}")
    expect(studio.page.get_by_role("img", name="loss").first).to_be_visible(timeout=JOB_MS)
    studio.page.wait_for_timeout(3000)
    take("training-job")
    studio.tab("Logs")
    expect(studio.page.get_by_role("log")).to_contain_text("validation:loss")
    take("training-log")
    studio.open("/")
    take("home")
    running.client("sagemaker").stop_training_job(TrainingJobName=job)


def _algorithms(studio: Studio, take: Callable[[str], None], running: Server) -> None:
    """A job that reads channels and saves checkpoints, and a built-in algorithm."""
    sagemaker, s3 = running.client("sagemaker"), running.client("s3")
    s3.create_bucket(Bucket="wines")
    rows = WINES.read_text("utf-8").splitlines()[1:]
    for part, lines in (("train", [row for n, row in enumerate(rows) if n % 4]), ("validation", rows[::4])):
        s3.put_object(Bucket="wines", Key=f"{part}/wine.csv", Body="\n".join(lines).encode())
    job = "wine-lines"
    sagemaker.create_training_job(
        TrainingJobName=job,
        RoleArn=running.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", "import os; exec(os.environ['SCRIPT'])"],
        },
        Environment={"SCRIPT": _LEARN},
        InputDataConfig=[
            channel("train", "s3://wines/train/", ContentType="text/csv", InputMode="Pipe", ShuffleConfig={"Seed": 7}),
            channel("validation", "s3://wines/validation/", ContentType="text/csv"),
        ],
        OutputDataConfig={"S3OutputPath": "s3://wines/output"},
        CheckpointConfig={"S3Uri": f"s3://wines/checkpoints/{job}"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig=SOON)
    studio.open(f"/training-jobs/{job}?tab=artifacts")
    expect(studio.page.get_by_role("table", name="Checkpoints").get_by_role("link").first).to_be_visible()
    take("training-inputs")
    studio.open("/algorithms/xgboost")
    take("algorithm")


def _tuning(studio: Studio, take: Callable[[str], None], running: Server) -> None:
    """A search that has ended, and the form that begins another one."""
    sagemaker, name, objective = running.client("sagemaker"), "wine-trees", "validation:mlogloss"
    ranges = {
        "ContinuousParameterRanges": [
            {"Name": "eta", "MinValue": "0.01", "MaxValue": "1", "ScalingType": "Logarithmic"},
            {"Name": "lambda", "MinValue": "0.1", "MaxValue": "100", "ScalingType": "Logarithmic"},
            {"Name": "colsample_bytree", "MinValue": "0.2", "MaxValue": "1"},
        ],
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "8"}],
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": objective},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 36, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": ranges,
            "RandomSeed": 7,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {
                "objective": "multi:softprob",
                "num_class": "3",
                "num_round": "20",
                "eval_metric": "mlogloss",
                "tree_method": "hist",
            },
            "AlgorithmSpecification": {"TrainingImage": "sagemaker-xgboost:3.0-5", "TrainingInputMode": "File"},
            "RoleArn": running.role_arn,
            "InputDataConfig": [
                channel(part, f"s3://wines/{part}/", ContentType="text/csv") for part in ("train", "validation")
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://wines/output"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
                "KeepAlivePeriodInSeconds": 60,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    page = studio.page
    studio.open(f"/tuning-jobs/{name}")
    expect(page.get_by_text("36 of 36: 36 completed")).to_be_visible(timeout=JOB_MS)
    take("tuning-job")
    studio.tab("Charts")
    expect(page.get_by_role("table", name="Importance of hyperparameters")).to_be_visible()
    page.get_by_role("img", name=f"{objective} over time").evaluate(
        "chart => scrollBy(0, chart.getBoundingClientRect().top - 115)"
    )
    take("tuning-charts")
    studio.button("Tune again with changes").click()
    expect(studio.heading("Create tuning job")).to_be_visible()
    studio.settle()
    page.get_by_role("table", name="Ranges").scroll_into_view_if_needed()
    take("tuning-form")


def _pages(studio: Studio, take: Callable[[str], None], first: str) -> None:
    page = studio.page
    studio.open("/model-registry/wine-classifier/compare?versions=1,2,3")
    take("registry-compare")
    studio.open("/model-registry/wine-classifier/2")
    studio.button("Approve").click()
    page.get_by_role("dialog").get_by_label("Comment").fill("As good as version 1 with a fifth of the neurons")
    take("registry-approve")
    studio.open("/experiments/learning-rate/compare?runs=slow,steady,fast,rash")
    take("experiments")
    studio.open("/storage")
    page.get_by_role("link", name="sagemaker-us-east-1").click()
    page.get_by_role("link", name="wine-preparation-").click()
    page.get_by_role("link", name="data/").click()
    page.get_by_role("link", name="wine.csv").click()
    expect(page.get_by_role("table", name="Rows")).to_be_visible()
    take("storage")
    studio.open(f"/training-jobs/{first}")
    studio.button("Train again with changes").click()
    expect(studio.heading("Create training job")).to_be_visible()
    studio.settle()
    page.get_by_role("button", name="Copy as").click()
    take("explorer")
    studio.open("/access/users/ada?tab=simulate")
    page.get_by_label("Actions").fill("sagemaker:CreateTrainingJob\nsagemaker:DeleteEndpoint\ns3:GetObject")
    studio.button("Simulate").click()
    expect(page.get_by_role("table", name="Answers")).to_be_visible()
    page.get_by_role("table", name="Answers").scroll_into_view_if_needed()
    take("access")
    studio.open("/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to").fill("wine")
    expect(page.get_by_role("option", name="wine-classifier").first).to_be_visible()
    take("palette")


def _endpoint(studio: Studio, take: Callable[[str], None], endpoint: str) -> None:
    page = studio.page
    studio.open(f"/endpoints/{endpoint}?range=900")
    expect(page.get_by_role("img").first).to_be_visible()
    page.get_by_role("heading", name="Monitoring").scroll_into_view_if_needed()
    take("endpoint")
    studio.tab("Test")
    page.get_by_label("Body").fill(f"{ROW}\n12.37,.94,1.36,10.6,88,1.98,.57,.28,.42,1.95,1.05,1.82,520")
    for _ in range(2):
        studio.button("Send").click()
        expect(studio.button("Send")).to_be_enabled()
    expect(page.get_by_role("table", name="History").get_by_text("200 OK")).to_have_count(2)
    take("endpoint-console")


class _Traffic:
    """Requests to an endpoint, now and then; some of them are wrong."""

    def __init__(self, running: Server, endpoint: str) -> None:
        self._runtime = running.client("sagemaker-runtime")
        self._endpoint = endpoint
        self._began = time.time()
        self._sent = 0

    def minutes(self) -> float:
        return (time.time() - self._began) / 60

    def some(self) -> None:
        """Ask for some seconds."""
        for _ in range(30 + 25 * (int(self.minutes()) % 3)):
            self._sent += 1
            body = ROW if self._sent % 40 else "wine"
            try:
                self._runtime.invoke_endpoint(EndpointName=self._endpoint, ContentType="text/csv", Body=body)
            except self._runtime.exceptions.ClientError:
                continue
            time.sleep(0.05)
        time.sleep(8)


def _train(running: Server, like: str, name: str, **parameters: str) -> str:
    """Start a job that differs from another in some hyperparameters; gives its name."""
    sagemaker = running.client("sagemaker")
    known = sagemaker.describe_training_job(TrainingJobName=like)
    members = sagemaker.meta.service_model.operation_model("CreateTrainingJob").input_shape.members
    request = {key: value for key, value in known.items() if key in members}
    request |= {"TrainingJobName": name, "HyperParameters": known["HyperParameters"] | parameters}
    sagemaker.create_training_job(**request)
    return name


def _register(running: Server, jobs: list[str]) -> None:
    """A version of each job's model, with what the job measured."""
    sagemaker, s3 = running.client("sagemaker"), running.client("s3")
    group = "wine-classifier"
    sagemaker.create_model_package_group(
        ModelPackageGroupName=group, ModelPackageGroupDescription="Tells three wines apart by their chemistry"
    )
    for job in jobs:
        known = sagemaker.describe_training_job(TrainingJobName=job)
        last = {
            each["MetricName"].split(":")[1]: each["Value"]
            for each in known["FinalMetricDataList"]
            if each["MetricName"].startswith("validation:")
        }
        bucket = known["ModelArtifacts"]["S3ModelArtifacts"].split("/")[2]
        statistics = {
            "multiclass_classification_metrics": {name: {"value": round(value, 5)} for name, value in last.items()}
        }
        s3.put_object(Bucket=bucket, Key=f"{job}/evaluation.json", Body=json.dumps(statistics))
        given = known["HyperParameters"]
        container = {
            "Image": known["AlgorithmSpecification"]["TrainingImage"],
            "ModelDataUrl": known["ModelArtifacts"]["S3ModelArtifacts"],
        }
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelPackageDescription=f"{given['neurons']} neurons, learning rate {given['learning-rate']}",
            ModelApprovalStatus="Approved" if job == jobs[0] else "PendingManualApproval",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            },
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{job}/evaluation.json"}
                }
            },
            CustomerMetadataProperties={name: given[name] for name in ("epochs", "neurons")},
        )


def _rates(running: Server) -> None:
    """An experiment: logistic regression, which tells the first wine from the others, with four learning rates."""
    table = [[float(value) for value in line.split(",")] for line in WINES.read_text("utf-8").splitlines()[1:]]
    labels = [1.0 if row[0] == 0 else 0.0 for row in table]
    columns = [[row[index] for row in table] for index in range(1, 14)]
    scaled = []
    for column in columns:
        mean = sum(column) / len(column)
        spread = math.sqrt(sum((value - mean) ** 2 for value in column) / len(column))
        scaled.append([(value - mean) / spread for value in column])
    rows = list(zip(*scaled, strict=True))
    seen = [(row, label) for index, (row, label) in enumerate(zip(rows, labels, strict=True)) if index % 4]
    unseen = [(row, label) for index, (row, label) in enumerate(zip(rows, labels, strict=True)) if not index % 4]
    runs = []
    for name, rate in {"slow": 0.03, "steady": 0.1, "fast": 0.3, "rash": 1.0}.items():
        weights, told = [0.0] * 14, []
        for _ in range(40):
            told.append(
                {
                    "train:loss": _loss(weights, seen),
                    "validation:loss": _loss(weights, unseen),
                    "validation:accuracy": _right(weights, unseen),
                }
            )
            slope = [0.0] * 14
            for row, label in seen:
                error = _chance(weights, row) - label
                for index, value in enumerate((1.0, *row)):
                    slope[index] += error * value / len(seen)
            weights = [weight - rate * each for weight, each in zip(weights, slope, strict=True)]
        source = {"data": "s3://wines/wine.csv"}
        runs.append(
            Run(
                name,
                name,
                {"rate": rate, "steps": 40, "model": "logistic regression"},
                told,
                source,
                {},
            )
        )
    experiment(running, "learning-rate", "How fast may it learn?", runs)


def _chance(weights: list[float], row: tuple[float, ...]) -> float:
    return 1 / (1 + math.exp(-sum(weight * value for weight, value in zip(weights, (1.0, *row), strict=True))))


def _loss(weights: list[float], rows: list[tuple[tuple[float, ...], float]]) -> float:
    return -sum(math.log(abs(1 - label - _chance(weights, row)) + 1e-12) for row, label in rows) / len(rows)


def _right(weights: list[float], rows: list[tuple[tuple[float, ...], float]]) -> float:
    return sum((_chance(weights, row) > 0.5) == (label == 1) for row, label in rows) / len(rows)


def _people(running: Server) -> None:
    iam = running.client("iam")
    iam.create_user(UserName="ada")
    iam.create_login_profile(UserName="ada", Password=PASSWORD)
    statements = [
        {"Effect": "Allow", "Action": ["sagemaker:*TrainingJob*", "s3:GetObject"], "Resource": "*"},
        {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="ada", PolicyName="trains", PolicyDocument=policy)


def _ended(studio: Studio) -> None:
    """Wait until the job that the page shows has ended."""
    expect(studio.heading("wine-")).to_be_visible()
    expect(studio.page.get_by_text("Completed").first).to_be_visible(timeout=JOB_MS)


if __name__ == "__main__":
    main()
