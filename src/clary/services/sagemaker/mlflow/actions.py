"""Which permission each request to a tracking server needs.

AWS names an action for most of MLflow's REST API. What it names none for needs ``CallMlflowApi``, a name of Clary's own
after ``sagemaker:CallMlflowAppApi``: a policy with ``sagemaker-mlflow:*`` gives it. What is in no table is not served.

Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_sagemaker-mlflow.html,
https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

from __future__ import annotations

import re
from functools import lru_cache

PREFIX = "sagemaker-mlflow:"
OPEN = ""
"""No action: who may do anything in the account may ask."""
UI = "AccessUI"
OTHER = "CallMlflowApi"

_RESOURCES = {
    "experiments": {
        "create": "CreateExperiment",
        "search": "SearchExperiments",
        "get": "GetExperiment",
        "get-by-name": "GetExperimentByName",
        "delete": "DeleteExperiment",
        "restore": "RestoreExperiment",
        "update": "UpdateExperiment",
        "set-experiment-tag": "SetExperimentTag",
        "delete-experiment-tag": "SetExperimentTag",
    },
    "runs": {
        "create": "CreateRun",
        "delete": "DeleteRun",
        "restore": "RestoreRun",
        "get": "GetRun",
        "update": "UpdateRun",
        "search": "SearchRuns",
        "log-metric": "LogMetric",
        "log-parameter": "LogParam",
        "log-batch": "LogBatch",
        "log-model": "LogModel",
        "log-inputs": "LogInputs",
        "outputs": "LogOutputs",
        "set-tag": "SetTag",
        "delete-tag": "DeleteTag",
    },
    "metrics": {
        "get-history": "GetMetricHistory",
        "get-history-bulk": "GetMetricHistory",
        "get-history-bulk-interval": "GetMetricHistory",
    },
    "artifacts": {"list": "ListArtifacts"},
    "registered-models": {
        "create": "CreateRegisteredModel",
        "get": "GetRegisteredModel",
        "rename": "RenameRegisteredModel",
        "update": "UpdateRegisteredModel",
        "delete": "DeleteRegisteredModel",
        "search": "SearchRegisteredModels",
        "get-latest-versions": "GetLatestModelVersions",
        "set-tag": "SetRegisteredModelTag",
        "delete-tag": "DeleteRegisteredModelTag",
    },
    "model-versions": {
        "create": "CreateModelVersion",
        "get": "GetModelVersion",
        "update": "UpdateModelVersion",
        "delete": "DeleteModelVersion",
        "search": "SearchModelVersions",
        "get-download-uri": "GetDownloadURIForModelVersionArtifacts",
        "transition-stage": "TransitionModelVersionStage",
        "set-tag": "SetModelVersionTag",
        "delete-tag": "DeleteModelVersionTag",
    },
}
"""MLflow's verbs, by what they are about."""

_PATTERNS = tuple(
    (methods.split(), re.compile(pattern), action)
    for methods, pattern, action in (
        ("GET", "registered-models/alias", "GetModelVersionByAlias"),
        ("POST", "registered-models/alias", "SetRegisteredModelAlias"),
        ("DELETE", "registered-models/alias", "DeleteRegisteredModelAlias"),
        ("POST", "logged-models/search", "SearchLoggedModels"),
        ("POST", "logged-models", "LogModel"),
        ("GET", "logged-models/[^/]+", "GetLoggedModel"),
        ("PATCH", "logged-models/[^/]+", "FinalizeLoggedModel"),
        ("DELETE", "logged-models/[^/]+", "DeleteLoggedModel"),
        ("POST", "logged-models/[^/]+/params", "LogLoggedModelParams"),
        ("PATCH", "logged-models/[^/]+/tags", "SetLoggedModelTags"),
        ("DELETE", "logged-models/[^/]+/tags/.+", "DeleteLoggedModelTag"),
        ("GET", "logged-models/[^/]+/artifacts/directories", "ListLoggedModelArtifacts"),
        ("GET", "logged-models/[^/]+/artifacts/files", UI),
        ("POST", "traces/delete-traces", "DeleteTraces"),
        ("POST", "traces/(search|metrics|calculate-filter-correlation)", "SearchTraces"),
        ("GET POST", "traces/(get|batchGet|batchGetInfos)", "GetTraceInfo"),
        ("POST", "traces/(link-to-run|link-prompts)", OTHER),
        ("GET", "traces", "SearchTraces"),
        ("POST", "traces", "StartTrace"),
        ("PATCH", "traces/[^/]+", "EndTrace"),
        ("GET", "traces/[^/]+(/info)?", "GetTraceInfo"),
        ("PATCH", "traces/[^/]+/tags", "SetTraceTag"),
        ("DELETE", "traces/[^/]+/tags", "DeleteTraceTag"),
        ("GET POST PATCH DELETE", "traces/[^/]+/assessments(/[^/]+)?", OTHER),
        ("GET", "server-(info|features)", OPEN),
        ("GET", "get-trace-artifact", UI),
        ("GET POST", "ui-telemetry", UI),
        ("POST", "experiments/search-datasets", "SearchRuns"),
        ("POST", "upload-artifact", OTHER),
        ("POST", "artifacts/presigned-(up|down)load-url", OTHER),
        ("GET POST PATCH PUT DELETE", "(datasets|issues|label-schemas|review-queues)(/.*)?", OTHER),
        ("GET POST PUT DELETE", "scorers/[a-z-]+", OTHER),
    )
)
_PAGES = re.compile(r"/|/static-files/.*|/graphql|/get-artifact|/model-versions/get-artifact")
_API = re.compile(r"/(?:ajax-)?api/[23]\.0/mlflow/(.+)")
_PROXIED_ARTIFACTS = re.compile(
    r"/(?:ajax-)?api/2\.0/mlflow-artifacts/(artifacts(/.*)?|mpu/(create|complete|abort)/.*|presigned/.*)"
)
_OPEN_PAGES = ("/health", "/version")


def action_of(method: str, path: str) -> str | None:
    """The action that a request to the server's ``path`` needs, ``OPEN`` for none; ``None`` for what is not served.

    ``path`` is decoded, as MLflow sees it.
    """
    action = _action(method, path)
    return PREFIX + action if action else action


@lru_cache(maxsize=4096)
def _action(method: str, path: str) -> str | None:
    if path in _OPEN_PAGES and method == "GET":
        return OPEN
    if path == "/v1/traces" and method == "POST":
        return "StartTrace"
    if _PAGES.fullmatch(path):
        return UI if method == "GET" or (path == "/graphql" and method == "POST") else None
    if _PROXIED_ARTIFACTS.fullmatch(path):
        return OTHER
    match = _API.fullmatch(path)
    if match is None:
        return None
    what, _, verb = match[1].partition("/")
    if (known := _RESOURCES.get(what, {}).get(verb)) is not None:
        return known
    return next(
        (action for methods, pattern, action in _PATTERNS if method in methods and pattern.fullmatch(match[1])), None
    )
