"""SDK v2: processing jobs of a script in the scikit-learn image, and of any command."""

import pathlib

import sagemaker
from sagemaker.image_uris import retrieve
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.sklearn.processing import SKLearnProcessor

PREPARE = """
import argparse, pathlib
from sklearn.preprocessing import StandardScaler
import pandas

parser = argparse.ArgumentParser()
parser.add_argument("--decimals", type=int)
arguments = parser.parse_args()
rows = pandas.read_csv("/opt/ml/processing/input/rows.csv", header=None)
scaled = pandas.DataFrame(StandardScaler().fit_transform(rows)).round(arguments.decimals)
scaled.to_csv("/opt/ml/processing/output/scaled.csv", header=False, index=False)
print("scaled", len(scaled), "rows")
"""

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
pathlib.Path("prepare.py").write_text(PREPARE)
pathlib.Path("rows.csv").write_text("1,10\n2,20\n3,30\n")

processor = SKLearnProcessor(
    framework_version="1.2-1", role=role, instance_type="ml.m5.large", instance_count=1, sagemaker_session=session
)
processor.run(
    code="prepare.py",
    inputs=[ProcessingInput(source="rows.csv", destination="/opt/ml/processing/input")],
    outputs=[ProcessingOutput(output_name="scaled", source="/opt/ml/processing/output")],
    arguments=["--decimals", "2"],
)
described = processor.latest_job.describe()
assert described["ProcessingJobStatus"] == "Completed", described
output = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
assert S3Downloader.list(output, sagemaker_session=session) == [f"{output}/scaled.csv"]
scaled = S3Downloader.read_file(f"{output}/scaled.csv", sagemaker_session=session)
assert scaled.splitlines() == ["-1.22,-1.22", "0.0,0.0", "1.22,1.22"], scaled

pathlib.Path("count.sh").write_text("wc -l < /opt/ml/processing/input/rows.csv > /opt/ml/processing/output/count.txt\n")
data = S3Uploader.upload("rows.csv", f"s3://{session.default_bucket()}/parity/data", sagemaker_session=session)
counter = ScriptProcessor(
    image_uri=retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large"), command=["/bin/sh"],
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session,
    env={"LANG": "C"}, max_runtime_in_seconds=600,
)  # fmt: skip
counter.run(
    code="count.sh",
    inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/input")],
    outputs=[
        ProcessingOutput(source="/opt/ml/processing/output", destination=f"s3://{session.default_bucket()}/count")
    ],
    logs=False,
)
count = S3Downloader.read_file(f"s3://{session.default_bucket()}/count/count.txt", sagemaker_session=session)
assert count.strip() == "3", count
print("the story ended well")
