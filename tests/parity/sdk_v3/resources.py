"""SDK v3: the resource classes, which check every member of every answer."""

import random

import boto3
from botocore.exceptions import ClientError
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ProcessingJob, TrainingJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    AppSpecification,
    Channel,
    ContainerDefinition,
    DataSource,
    OutputDataConfig,
    ProcessingClusterConfig,
    ProcessingResources,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
)

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ROLE = "arn:aws:iam::123456789012:role/ClaryExecutionRole"

source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(200)]
rows = "\n".join(",".join(map(str, [int(row[0] + row[1] > 0), *row])) for row in features)
s3 = boto3.client("s3")
s3.create_bucket(Bucket="parity-v3")
s3.put_object(Bucket="parity-v3", Key="train/rows.csv", Body=rows.encode())

job = TrainingJob.create(
    training_job_name="parity-v3",
    hyper_parameters={"objective": "binary:logistic", "num_round": "10"},
    algorithm_specification=AlgorithmSpecification(training_image=IMAGE, training_input_mode="File"),
    role_arn=ROLE,
    input_data_config=[
        Channel(
            channel_name="train",
            content_type="text/csv",
            data_source=DataSource(
                s3_data_source=S3DataSource(
                    s3_data_type="S3Prefix",
                    s3_uri="s3://parity-v3/train/",
                    s3_data_distribution_type="FullyReplicated",
                )
            ),
        )
    ],
    output_data_config=OutputDataConfig(s3_output_path="s3://parity-v3/output"),
    resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    tags=[{"key": "team", "value": "parity"}],
)
job.wait(poll=1, logs=True)
assert (job.training_job_status, job.secondary_status) == ("Completed", "Completed"), job
assert job.model_artifacts.s3_model_artifacts == "s3://parity-v3/output/parity-v3/output/model.tar.gz"
assert TrainingJob.get("parity-v3").final_metric_data_list
assert [each.training_job_name for each in TrainingJob.get_all(name_contains="parity")] == ["parity-v3"]

model = Model.create(
    model_name="parity-v3",
    primary_container=ContainerDefinition(image=IMAGE, model_data_url=job.model_artifacts.s3_model_artifacts),
    execution_role_arn=ROLE,
)
config = EndpointConfig.create(
    endpoint_config_name="parity-v3",
    production_variants=[
        ProductionVariant(
            variant_name="AllTraffic", model_name="parity-v3", instance_type="ml.m5.large", initial_instance_count=1
        )
    ],
)
endpoint = Endpoint.create(endpoint_name="parity-v3", endpoint_config_name="parity-v3")
endpoint.wait_for_status("InService", poll=1)
body = "\n".join(",".join(map(str, row)) for row in features[:20])
answer = endpoint.invoke(body=body.encode(), content_type="text/csv", accept="text/csv")
scores = [float(each) for each in answer.body.read().decode().replace(",", "\n").split()]
assert sum((score > 0.5) == (row[0] + row[1] > 0) for score, row in zip(scores, features, strict=False)) >= 18
assert answer.invoked_production_variant == "AllTraffic", answer

assert Model.get("parity-v3").primary_container.image == IMAGE
assert EndpointConfig.get("parity-v3").production_variants[0].model_name == "parity-v3"
assert Endpoint.get("parity-v3").endpoint_status == "InService"
assert [each.endpoint_name for each in Endpoint.get_all(status_equals="InService")] == ["parity-v3"]
assert [each.model_name for each in Model.get_all()] == ["parity-v3"]
assert [each.endpoint_config_name for each in EndpointConfig.get_all()] == ["parity-v3"]

endpoint.delete()
endpoint.wait_for_delete(poll=1)
config.delete()
model.delete()
try:
    Model.get("parity-v3")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error
else:
    raise AssertionError("a deleted model was described")

processing = ProcessingJob.create(
    processing_job_name="parity-v3",
    processing_resources=ProcessingResources(
        cluster_config=ProcessingClusterConfig(instance_count=1, instance_type="ml.m5.large", volume_size_in_gb=5)
    ),
    app_specification=AppSpecification(image_uri=IMAGE, container_entrypoint=["/bin/sh", "-c", "echo hello"]),
    role_arn=ROLE,
)
processing.wait(poll=1, logs=True)
assert processing.processing_job_status == "Completed", processing

endless = TrainingJob.create(
    training_job_name="parity-v3-endless",
    algorithm_specification=AlgorithmSpecification(
        training_image=IMAGE, training_input_mode="File", container_entrypoint=["/bin/sh", "-c", "sleep 1000"]
    ),
    role_arn=ROLE,
    output_data_config=OutputDataConfig(s3_output_path="s3://parity-v3/output"),
    resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
)
endless.stop()
endless.wait(poll=1)
assert endless.training_job_status == "Stopped", endless
print("the story ended well")
