"""SDK v2: an estimator's Transformer, from rows on this machine to joined predictions and to the words of a failure."""

import io
import pathlib
import random
import sys

import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.inputs import TrainingInput
from sagemaker.s3 import S3Downloader
from sagemaker.transformer import Transformer

session = sagemaker.Session()
bucket = session.default_bucket()
source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(300)]
labels = [int(row[0] + row[1] > 0) for row in features]
rows = pathlib.Path("rows.csv")
rows.write_text("\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, features, strict=False)))
train = session.upload_data(str(rows), key_prefix="batch/train")
estimator = Estimator(
    image_uris.retrieve("xgboost", session.boto_region_name, version="3.0-5"),
    sagemaker.get_execution_role(session),
    instance_count=1,
    instance_type="ml.m5.large",
    hyperparameters={"objective": "binary:logistic", "num_round": 20},
)
estimator.fit({"train": TrainingInput(train, content_type="text/csv")}, logs=None)

given = pathlib.Path("given.csv")
given.write_text("\n".join(",".join(map(str, [f"id-{n}", *row])) for n, row in enumerate(features)))
data = session.upload_data(str(given), key_prefix="batch/given")
transformer = estimator.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    strategy="MultiRecord",
    assemble_with="Line",
    accept="text/csv",
    max_payload=1,
    max_concurrent_transforms=2,
    env={"MODE": "batch"},
    output_path=f"s3://{bucket}/batch/scores",
)
shown, sys.stdout = sys.stdout, io.StringIO()
try:
    transformer.transform(
        data,
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        wait=True,
        logs=True,
    )
    log = sys.stdout.getvalue()
finally:
    sys.stdout = shown
assert "[sagemaker logs]: MaxConcurrentTransforms=2, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in log, log
scores = [line.split(",") for line in S3Downloader.read_file(f"{transformer.output_path}/given.csv.out").split()]
assert [name for name, _ in scores] == [f"id-{n}" for n in range(300)]
hits = sum((float(score) > 0.5) == bool(label) for (_, score), label in zip(scores, labels, strict=False))
assert hits > 285, hits

attached = Transformer.attach(transformer.latest_transform_job.name, sagemaker_session=session)
assert attached.model_name == transformer.model_name
assert attached.output_path == transformer.output_path
assert attached.max_payload == 1

try:
    # The identifiers, which are no numbers, reach the model.
    transformer.transform(data, content_type="text/csv", split_type="Line", wait=True, logs=False)
except UnexpectedStatusException as error:
    assert "ClientError: See job logs for more information" in str(error), error
    assert error.actual_status == "Failed", error
else:
    raise AssertionError("a transform of what the model cannot read did not raise")
transformer.delete_model()
print("the story ended well")
