"""What Studio shows of serving: an endpoint of two variants that is scaled and captured, and a transform job."""

from __future__ import annotations

from typing import Any


def share(contents: Any) -> None:
    """An endpoint of two variants that keeps its requests, and two more configurations, one of them serverless."""
    sagemaker, name = contents.server.client("sagemaker"), contents.shared_endpoint
    variants = [
        {
            "VariantName": variant,
            "ModelName": contents.model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        }
        for variant in ("blue", "green")
    ]
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{contents.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, DataCaptureConfig=capture)
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-next", ProductionVariants=variants[:1])
    serverless = {
        "VariantName": "AllTraffic",
        "ModelName": contents.model,
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 4},
    }
    sagemaker.create_endpoint_config(EndpointConfigName=contents.serverless_config, ProductionVariants=[serverless])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "blue"}]
    contents.server.client("cloudwatch").put_metric_alarm(
        AlarmName=contents.alarm,
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5_000_000,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )


def scale(contents: Any) -> None:
    """Have one of the variants follow its load; the endpoint must be in service."""
    scaling = contents.server.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{contents.shared_endpoint}/variant/blue",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **target,
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 600,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )


def transform(contents: Any) -> None:
    """Start a transform job that keeps the first column of its rows from the model."""
    contents.server.client("s3").put_object(
        Bucket=contents.bucket, Key="batch/in/rows.csv", Body=b"anna,1,2\nben,3,4\ncleo,5,6\n"
    )
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{contents.bucket}/batch/in/"}
    contents.server.client("sagemaker").create_transform_job(
        TransformJobName=contents.transform_job,
        ModelName=contents.model,
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={
            "S3OutputPath": f"s3://{contents.bucket}/batch/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        BatchStrategy="MultiRecord",
        MaxConcurrentTransforms=2,
        MaxPayloadInMB=6,
    )
