"""SDK v2: the metrics of a training job as a table, and percentiles as numpy has them."""

import datetime
import pathlib

import numpy
import sagemaker
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.estimator import Estimator

PROGRAM = """
for step in range(4):
    print(f"loss={1 / (step + 1)}; accuracy={step / 4};", flush=True)
"""

session = sagemaker.Session()
pathlib.Path("program.py").write_text(PROGRAM)
code = session.upload_data("program.py", key_prefix="parity/analytics")
estimator = Estimator(
    "clary/python:3.11", sagemaker.get_execution_role(session), instance_count=1, instance_type="ml.m5.large",
    metric_definitions=[
        {"Name": "loss", "Regex": "loss=([0-9.]+);"},
        {"Name": "accuracy", "Regex": "accuracy=([0-9.]+);"},
    ],
    container_entry_point=["python3", "/opt/ml/input/data/code/program.py"],
    sagemaker_session=session,
)  # fmt: skip
estimator.fit({"code": code})

name = estimator.latest_training_job.name
table = TrainingJobAnalytics(name, ["loss", "accuracy"], sagemaker_session=session).dataframe()
assert list(table.columns) == ["timestamp", "metric_name", "value"], table
assert set(table["metric_name"]) == {"loss", "accuracy"}, table
assert table["timestamp"].min() == 0, table
means = table.groupby("metric_name")["value"].mean()
if len(table) == 2:  # all within one minute
    assert abs(means["loss"] - (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4) < 1e-9 and means["accuracy"] == 0.375, table
# Without names, it is those of the job's definitions; the estimator knows its own job.
assert set(estimator.training_job_analytics.dataframe()["metric_name"]) == {"loss", "accuracy"}

cloudwatch = session.boto_session.client("cloudwatch")
now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
source = numpy.random.default_rng(0)
for draw in (source.lognormal(5, 2, 3000), source.normal(0, 10, 3000), source.pareto(2, 3000)):
    cloudwatch.put_metric_data(
        Namespace="Parity",
        MetricData=[
            {"MetricName": str(draw[0]), "Timestamp": now, "Values": part.tolist()} for part in numpy.split(draw, 20)
        ],
    )
    percents = [1, 10, 50, 90, 99, 99.9]
    [point] = cloudwatch.get_metric_statistics(
        Namespace="Parity", MetricName=str(draw[0]), StartTime=now, EndTime=now + datetime.timedelta(minutes=1),
        Period=60, ExtendedStatistics=[f"p{percent:g}" for percent in percents],
    )["Datapoints"]  # fmt: skip
    expected = numpy.percentile(draw, percents, method="lower")
    found = [point["ExtendedStatistics"][f"p{percent:g}"] for percent in percents]
    numpy.testing.assert_allclose(found, expected, rtol=0.01)
print("the story ended well")
