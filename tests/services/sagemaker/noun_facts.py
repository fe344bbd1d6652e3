"""What the shapes of SageMaker's model do not tell a test that makes values from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shapes import GIVEN, LEFT_OUT, Facts

Other = Callable[[str], Any]
"""Gives a resource of another noun, with ``name`` and ``arn``; it is created at the first call."""


def facts(other: Other) -> Facts:
    """Members by the structure's name: those that exclude each other, name other resources or have a syntax."""
    return {
        **{
            f"{kind}JobInput": {"EndpointInput": GIVEN, "BatchTransformInput": LEFT_OUT}
            for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
        },
        "CreateWorkforceRequest": {"OidcConfig": GIVEN, "CognitoConfig": LEFT_OUT},
        "MemberDefinition": {"OidcMemberDefinition": GIVEN, "CognitoMemberDefinition": LEFT_OUT},
        "CreateWorkteamRequest": {"WorkforceName": lambda: other("Workforce").name},
        "HumanLoopConfig": {
            "WorkteamArn": lambda: other("Workteam").arn,
            "HumanTaskUiArn": lambda: other("HumanTaskUi").arn,
            "PublicWorkforceTaskPrice": LEFT_OUT,
        },
        "CreateDeviceFleetRequest": {"EnableIotRoleAlias": False},
        "UpdateDeviceFleetRequest": {"EnableIotRoleAlias": False},
        "HyperParameterSpecification": {"Range": LEFT_OUT, "DefaultValue": LEFT_OUT},
        "HyperParameterTuningJobObjective": {"MetricName": "text-0"},
        "CreateEndpointConfigInput": {
            "AsyncInferenceConfig": LEFT_OUT,
            "ExplainerConfig": LEFT_OUT,
            "ShadowProductionVariants": LEFT_OUT,
            "DataCaptureConfig": LEFT_OUT,
            "KmsKeyId": "alias/aws/sagemaker",
        },
        "ProductionVariant": {
            "ModelName": lambda: other("Model").name,
            "InstanceType": GIVEN,
            "InitialInstanceCount": 1,
            "ServerlessConfig": LEFT_OUT,
        },
        "CreateModelCardRequest": {"Content": "{}"},
        "UpdateModelCardRequest": {"Content": '{"business_details": {}}', "ModelCardStatus": LEFT_OUT},
        "CreateDomainRequest": {"DefaultUserSettings": GIVEN},
        "UserSettings": {"ExecutionRole": GIVEN},
        "CreateUserProfileRequest": {"SingleSignOnUserIdentifier": LEFT_OUT, "SingleSignOnUserValue": LEFT_OUT},
        "OwnershipSettings": {"OwnerUserProfileName": lambda: other("UserProfile").name},
        "CreateSpaceRequest": {"OwnershipSettings": GIVEN, "SpaceSharingSettings": GIVEN},
        "CreateProjectInput": {"ServiceCatalogProvisioningDetails": LEFT_OUT, "TemplateProviders": LEFT_OUT},
        "UpdateProjectInput": {
            "ServiceCatalogProvisioningUpdateDetails": LEFT_OUT,
            "TemplateProvidersToUpdate": LEFT_OUT,
        },
        "CreatePipelineRequest": {"PipelineDefinition": "{}", "PipelineDefinitionS3Location": LEFT_OUT},
        "UpdatePipelineRequest": {"PipelineDefinition": '{"Steps": []}', "PipelineDefinitionS3Location": LEFT_OUT},
        "CreateFeatureGroupRequest": {
            "FeatureDefinitions": [
                {"FeatureName": "id", "FeatureType": "String"},
                {"FeatureName": "time", "FeatureType": "Fractional"},
            ],
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "time",
            "OnlineStoreConfig": GIVEN,
            "RoleArn": GIVEN,
        },
        "UpdateImageVersionRequest": {"Alias": LEFT_OUT, "AliasesToAdd": LEFT_OUT},
        "ListModelPackagesInput": {"ModelPackageType": "Both"},
        "CreateModelPackageInput": {
            "ModelPackageName": LEFT_OUT,
            "SourceAlgorithmSpecification": LEFT_OUT,
            "ModelPackageGroupName": lambda: other("ModelPackageGroup").name,
            "ValidationSpecification": LEFT_OUT,
        },
        "CreateModelInput": {"ExecutionRoleArn": GIVEN, "PrimaryContainer": GIVEN, "Containers": LEFT_OUT},
        "ContainerDefinition": {
            "Image": "012345678901.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "Mode": "SingleModel",
            "ModelDataSource": LEFT_OUT,
            "ModelPackageName": LEFT_OUT,
            "MultiModelConfig": LEFT_OUT,
        },
    }


ONE_PER_REGION = {"Workforce"}
"""Nouns of which there can be one only."""

MISTAKEN = ("DeviceFleetArn",)
"""Shapes whose patterns AWS's own answers do not match."""

TAKEN_OBSERVED = {"Pipeline"}
"""Nouns for whose taken names AWS answers ``ValidationException``, although it documents another error."""

OBSERVED = {"TrainingJob", "ProcessingJob", "TransformJob"}
"""Nouns for whose missing ones AWS answers ``ValidationException``, although it documents ``ResourceNotFound``."""

OWN_TESTS: Mapping[str, str] = {
    "CreateTrainingJob": "services/sagemaker/test_queue.py",
    "CreateHyperParameterTuningJob": "services/sagemaker/tuning/test_requests.py",
    "ListTrainingJobsForHyperParameterTuningJob": "parity/test_tuning.py",
    "CreateMlflowTrackingServer": "services/sagemaker/mlflow/test_requests.py",
    "CreatePresignedMlflowTrackingServerUrl": "edge/test_tracking.py",
    "CreateAlgorithm": "services/sagemaker/test_algorithms.py",
    "CreateProcessingJob": "parity/parity_lab.py",
    "CreateTransformJob": "parity/parity_transform.py",
    "CreateModelCardExportJob": "services/sagemaker/test_model_cards.py",
    "CreateEndpoint": "services/sagemaker/test_queue.py",
    "UpdateEndpointWeightsAndCapacities": "parity/test_variants.py",
    "AddAssociation": "services/sagemaker/test_lineage.py",
    "DeleteAssociation": "services/sagemaker/test_lineage.py",
    "ListAssociations": "services/sagemaker/test_lineage.py",
    "QueryLineage": "services/sagemaker/test_lineage_queries.py",
    "GetLineageGroupPolicy": "services/sagemaker/test_lineage.py",
    "AssociateTrialComponent": "services/sagemaker/test_experiments.py",
    "DisassociateTrialComponent": "services/sagemaker/test_experiments.py",
    "ListTrialComponents": "services/sagemaker/test_experiments.py",
    "RegisterDevices": "services/sagemaker/test_edge.py",
    "UpdateDevices": "services/sagemaker/test_edge.py",
    "DeregisterDevices": "services/sagemaker/test_edge.py",
    "CreateEdgeDeploymentStage": "services/sagemaker/test_edge.py",
    "DeleteEdgeDeploymentStage": "services/sagemaker/test_edge.py",
    "ListStageDevices": "services/sagemaker/test_edge.py",
    "ListAliases": "services/sagemaker/test_images.py",
    "ImportHubContent": "services/sagemaker/test_hubs.py",
    "CreateHubContentReference": "services/sagemaker/test_hubs.py",
    "UpdateHubContentReference": "services/sagemaker/test_hubs.py",
    "DeleteHubContentReference": "services/sagemaker/test_hubs.py",
    "ListHubContents": "services/sagemaker/test_hubs.py",
    "ListHubContentVersions": "services/sagemaker/test_hubs.py",
    "StartPipelineExecution": "services/sagemaker/test_pipelines.py",
    "UpdatePipelineVersion": "services/sagemaker/test_pipelines.py",
    "BatchDescribeModelPackage": "services/sagemaker/test_registry.py",
    "PutModelPackageGroupPolicy": "services/sagemaker/test_registry.py",
    "GetModelPackageGroupPolicy": "services/sagemaker/test_registry.py",
    "DeleteModelPackageGroupPolicy": "services/sagemaker/test_registry.py",
    "ListModelPackages": "services/sagemaker/test_registry.py",
    "Search": "services/sagemaker/test_search.py",
    "GetSearchSuggestions": "services/sagemaker/test_search.py",
}
"""Irregular operations, and those that put a noun to work, with the tests that try them."""
