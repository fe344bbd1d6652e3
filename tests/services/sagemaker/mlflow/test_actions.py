"""Which permission each request to a tracking server needs."""

from __future__ import annotations

import pytest

from clary.services.sagemaker.mlflow.actions import OPEN, action_of


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", "/api/2.0/mlflow/experiments/create", "CreateExperiment"),
        ("POST", "/ajax-api/2.0/mlflow/experiments/create", "CreateExperiment"),
        ("POST", "/api/2.0/mlflow/runs/log-batch", "LogBatch"),
        ("GET", "/api/2.0/mlflow/artifacts/list", "ListArtifacts"),
        ("DELETE", "/api/2.0/mlflow/registered-models/alias", "DeleteRegisteredModelAlias"),
        ("GET", "/api/2.0/mlflow/model-versions/get-download-uri", "GetDownloadURIForModelVersionArtifacts"),
        ("PATCH", "/api/2.0/mlflow/logged-models/m-1", "FinalizeLoggedModel"),
        ("POST", "/api/2.0/mlflow/logged-models/search", "SearchLoggedModels"),
        ("DELETE", "/api/2.0/mlflow/logged-models/m-1/tags/a/b", "DeleteLoggedModelTag"),
        ("POST", "/api/3.0/mlflow/traces", "StartTrace"),
        ("POST", "/v1/traces", "StartTrace"),
        ("GET", "/api/3.0/mlflow/traces/tr-1", "GetTraceInfo"),
        ("POST", "/api/3.0/mlflow/datasets/create", "CallMlflowApi"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/a/b", "CallMlflowApi"),
        ("GET", "/", "AccessUI"),
        ("GET", "/static-files/main.js", "AccessUI"),
        ("POST", "/graphql", "AccessUI"),
        ("GET", "/get-artifact", "AccessUI"),
    ],
)
def test_requests_need_the_action_that_aws_names(method: str, path: str, action: str) -> None:
    assert action_of(method, path) == f"sagemaker-mlflow:{action}"


@pytest.mark.parametrize("path", ["/health", "/version", "/api/3.0/mlflow/server-info"])
def test_some_requests_need_none(path: str) -> None:
    assert action_of("GET", path) == OPEN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("GET", "/metrics"),
        ("GET", "/api/2.0/mlflow"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("POST", "/gateway/mlflow/v1/chat/completions"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("POST", "/api/3.0/mlflow/workspaces"),
        ("POST", "/ajax-api/3.0/mlflow/demo/generate"),
        ("POST", "/api/9.0/mlflow/runs/create"),
        ("POST", "/other/api/2.0/mlflow/runs/create"),
    ],
)
def test_what_would_have_the_server_call_others_is_not_served(method: str, path: str) -> None:
    assert action_of(method, path) is None
