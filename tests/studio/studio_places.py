"""Every page of Studio with something on it: where it is, what its heading says, and what stands on it."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A page; names in braces are those of ``Contents.names``."""

    name: str
    path: str
    heading: str
    shows: tuple[tuple[str, str], ...] = ()
    """Pairs of a role and a label (or a part of it) that must be found."""


PLACES = [
    Place("home", "/", "Home", (("table", "Recent work"), ("table", "Failed lately"), ("button", "Start training"))),
    Place("training-jobs", "/training-jobs", "Training jobs", (("table", "Training jobs"), ("link", "{training_job}"))),
    Place("training-job", "/training-jobs/{training_job}", "{training_job}", (("tab", "Metrics"), ("img", "loss"))),
    Place("training-job-logs", "/training-jobs/{training_job}?tab=logs", "{training_job}", (("log", "Log of"),)),
    Place(
        "training-job-data",
        "/training-jobs/{training_job}?tab=artifacts",
        "{training_job}",
        (("table", "Inputs"), ("link", "s3://{bucket}/data/")),
    ),
    Place("training-job-history", "/training-jobs/{training_job}?tab=history", "{training_job}"),
    Place("training-job-configuration", "/training-jobs/{training_job}?tab=configuration", "{training_job}"),
    Place(
        "training-job-usage",
        "/training-jobs/{training_job}?tab=usage",
        "{training_job}",
        (("heading", "Cost"), ("img", "CPU (100 % a core)")),
    ),
    Place(
        "training-job-channels",
        "/training-jobs/{kept_job}?tab=artifacts",
        "{kept_job}",
        (("table", "Inputs"), ("columnheader", "Shuffle seed"), ("table", "Checkpoints"), ("link", "best/model.txt")),
    ),
    Place(
        "training-job-warm-pool",
        "/training-jobs/{kept_job}?tab=usage",
        "{kept_job}",
        (("heading", "Warm pool"), ("heading", "Retries")),
    ),
    Place(
        "training-job-spot",
        "/training-jobs/{spot_job}?tab=usage",
        "{spot_job}",
        (("heading", "Managed spot training"),),
    ),
    Place(
        "training-job-built-in",
        "/training-jobs/{built_in_job}",
        "{built_in_job}",
        (("link", "XGBoost"), ("img", "auc"), ("table", "Final values"), ("columnheader", "Better")),
    ),
    Place(
        "training-job-hyperparameters",
        "/training-jobs/{built_in_job}?tab=configuration",
        "{built_in_job}",
        (("table", "Hyperparameters"), ("rowheader", "num_round")),
    ),
    Place("tuning-jobs", "/tuning-jobs", "Tuning jobs", (("table", "Tuning jobs"), ("link", "{tuning_job}"))),
    Place(
        "tuning-job",
        "/tuning-jobs/{tuning_job}",
        "{tuning_job}",
        (("heading", "Best training job"), ("button", "Deploy"), ("table", "Training jobs that failed")),
    ),
    Place("tuning-job-trials", "/tuning-jobs/{tuning_job}?tab=trials", "{tuning_job}", (("table", "Trials"),)),
    Place(
        "tuning-job-charts",
        "/tuning-jobs/{tuning_job}?tab=charts",
        "{tuning_job}",
        (
            ("img", "score over time"),
            ("img", "Each trial as a line"),
            ("table", "Importance of hyperparameters"),
            ("img", "momentum against score"),
        ),
    ),
    Place(
        "tuning-job-configuration",
        "/tuning-jobs/{tuning_job}?tab=configuration",
        "{tuning_job}",
        (("table", "Ranges"), ("heading", "Static hyperparameters")),
    ),
    Place(
        "tuning-job-definitions",
        "/tuning-jobs/{compared_tuning_job}?tab=trials",
        "{compared_tuning_job}",
        (("table", "Trials"), ("button", "Definition All definitions")),
    ),
    Place(
        "tuning-job-create",
        "/tuning-jobs/-/create",
        "Create tuning job",
        (("table", "Ranges"), ("button", "Strategy Bayesian")),
    ),
    Place("algorithms", "/algorithms", "Built-in algorithms", (("link", "K-Means"), ("link", "XGBoost"))),
    Place(
        "algorithm",
        "/algorithms/xgboost",
        "XGBoost",
        (("button", "Train with it"), ("table", "Hyperparameters"), ("rowheader", "num_round")),
    ),
    Place("algorithm-channels", "/algorithms/kmeans?tab=channels", "K-Means", (("table", "Channels"),)),
    Place("algorithm-metrics", "/algorithms/blazingtext?tab=metrics", "BlazingText", (("table", "Metrics"),)),
    Place("training-job-failed", "/training-jobs/{failed_job}", "{failed_job}"),
    Place("processing-jobs", "/processing-jobs", "Processing jobs", (("link", "{processing_job}"),)),
    Place("processing-job", "/processing-jobs/{processing_job}", "{processing_job}", (("log", "Log of"),)),
    Place(
        "processing-job-usage",
        "/processing-jobs/{processing_job}?tab=usage",
        "{processing_job}",
        (("heading", "Usage"), ("img", "Disk (%)")),
    ),
    Place(
        "processing-job-data", "/processing-jobs/{processing_job}?tab=data", "{processing_job}", (("table", "Outputs"),)
    ),
    Place(
        "processing-job-configuration",
        "/processing-jobs/{failed_processing_job}?tab=configuration",
        "{failed_processing_job}",
    ),
    Place("experiments", "/experiments", "Experiments", (("table", "Experiments"), ("link", "{experiment}"))),
    Place("experiment", "/experiments/{experiment}", "{experiment}", (("table", "Runs"), ("link", "run-1"))),
    Place(
        "compare-charts",
        "/experiments/{experiment}/compare?runs={two_runs}",
        "Compare runs",
        (("img", "train:loss. run-1: 12 points"), ("img", "accuracy. ")),
    ),
    Place(
        "compare-differences",
        "/experiments/{experiment}/compare?tab=table&runs={two_runs}",
        "Compare runs",
        (("table", "Parameters and metrics"), ("rowheader", "rate")),
    ),
    Place(
        "compare-scatter",
        "/experiments/{experiment}/compare?tab=scatter&runs={two_runs}",
        "Compare runs",
        (("img", "rate against"),),
    ),
    Place("run", "/experiments/{experiment}/runs/{run}", "run-1", (("img", "loss"), ("table", "Values"))),
    Place("run-parameters", "/experiments/{experiment}/runs/{run}?tab=parameters", "run-1"),
    Place(
        "run-data",
        "/experiments/{experiment}/runs/{run}?tab=artifacts",
        "run-1",
        (("link", "s3://{bucket}/model.tar.gz"),),
    ),
    Place("run-related", "/experiments/{experiment}/runs/{run}?tab=related", "run-1"),
    Place("calls", "/calls?by=", "Calls", (("table", "Calls"), ("columnheader", "Operation"))),
    Place("role-manager", "/role-manager", "Role manager", (("button", "Create role"),)),
    Place("role-manager-create", "/role-manager/create", "Enter role information", (("radiogroup", "Persona"),)),
    Place("users", "/access/users", "Users", (("table", "Users"), ("link", "{user}"))),
    Place("groups", "/access/users?tab=groups", "Users", (("table", "Groups"), ("link", "{group}"))),
    Place("user", "/access/users/{user}", "{user}", (("button", "Reset password"), ("button", "Create access key"))),
    Place("user-groups", "/access/users/{user}?tab=groups", "{user}", (("link", "{group}"),)),
    Place("user-policies", "/access/users/{user}?tab=policies", "{user}", (("rowheader", "experiments"),)),
    Place("user-simulate", "/access/users/{user}?tab=simulate", "{user}", (("button", "Simulate"),)),
    Place("group", "/access/groups/{group}", "{group}", (("table", "Managed policies"),)),
    Place("roles", "/access/roles", "Roles", (("link", "{role}"),)),
    Place("role", "/access/roles/{role}", "{role}", (("rowheader", "AmazonSageMakerFullAccess"),)),
    Place("role-trust", "/access/roles/{role}?tab=trust", "{role}", (("button", "Edit trust policy"),)),
    Place("endpoints", "/endpoints", "Endpoints", (("link", "{endpoint}"),)),
    Place(
        "endpoint",
        "/endpoints/{endpoint}",
        "{endpoint}",
        (("table", "Production variants"), ("heading", "Monitoring"), ("tab", "Test")),
    ),
    Place(
        "endpoint-variants",
        "/endpoints/{shared_endpoint}",
        "{shared_endpoint}",
        (("rowheader", "blue"), ("button", "Change weights and instances"), ("link", "s3://{bucket}/captured")),
    ),
    Place(
        "endpoint-scaling",
        "/endpoints/{shared_endpoint}?tab=scaling",
        "{shared_endpoint}",
        (("table", "Scaled variants"), ("cell", "1 to 3"), ("table", "Recent activities"), ("rowheader", "{alarm}")),
    ),
    Place("endpoint-configs", "/endpoint-configs", "Endpoint configurations", (("link", "{endpoint_config}"),)),
    Place(
        "endpoint-config",
        "/endpoint-configs/{endpoint_config}",
        "{endpoint_config}",
        (("table", "Production variants"), ("link", "{endpoint}")),
    ),
    Place(
        "endpoint-config-serverless",
        "/endpoint-configs/{serverless_config}",
        "{serverless_config}",
        (("cell", "Serverless, 2048 MB, 4 requests at once"),),
    ),
    Place("models", "/models", "Models", (("link", "{model}"),)),
    Place("model", "/models/{model}", "{model}", (("table", "Environment"), ("button", "Deploy"))),
    Place("transform-jobs", "/transform-jobs", "Batch transform", (("link", "{transform_job}"),)),
    Place(
        "transform-job",
        "/transform-jobs/{transform_job}",
        "{transform_job}",
        (("heading", "Data processing"), ("table", "Outputs"), ("link", "rows.csv.out")),
    ),
    Place(
        "transform-job-usage",
        "/transform-jobs/{transform_job}?tab=usage",
        "{transform_job}",
        (("heading", "Usage"), ("img", "CPU (100 % a core)")),
    ),
    Place("transform-job-logs", "/transform-jobs/{transform_job}?tab=logs", "{transform_job}", (("log", "Log of"),)),
    Place("transform-job-history", "/transform-jobs/{transform_job}?tab=history", "{transform_job}"),
    Place(
        "transform-job-configuration",
        "/transform-jobs/{transform_job}?tab=configuration",
        "{transform_job}",
        (("heading", "Requests"),),
    ),
    Place("model-registry", "/model-registry", "Model registry", (("link", "{package_group}"),)),
    Place("model-package-group", "/model-registry/{package_group}", "{package_group}", (("link", "Version 2"),)),
    Place(
        "model-package",
        "/model-registry/{package_group}/2",
        "{package_group} version 2",
        (("button", "Approve"), ("button", "Reject"), ("tab", "Inference")),
    ),
    Place("storage", "/storage", "Storage", (("link", "{bucket}"),)),
    Place("storage-folder", "/storage/{bucket}/", "{bucket}", (("link", "data/"),)),
    Place("storage-object", "/storage/{bucket}/data/wine.csv", "wine.csv", (("table", "Rows"),)),
    Place("resources", "/explorer", "All resources"),
    Place("resources-list", "/explorer/sagemaker/Trial", "Trials"),
    Place("resource", "/explorer/sagemaker/Trial/of/Default-Run-Group-{experiment}", "Default-Run-Group-{experiment}"),
    Place("resource-create", "/explorer/sagemaker/Experiment/create", "Create experiment"),
]
