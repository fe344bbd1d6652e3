"""The service models, as botocore's own loader gives them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.loaders import create_loader

from clary.core.errors import UnknownOperationException
from clary.wire.catalog import UnknownService, service, service_names, summaries


def test_all_services_of_botocore_are_there() -> None:
    assert set(service_names()) == set(create_loader().list_available_services("service-2"))


@pytest.mark.parametrize("name", ["sagemaker", "s3", "cloudwatch", "sts"])
def test_models_are_those_of_botocores_loader(name: str) -> None:
    assert service(name).description == create_loader().load_service_model(name, "service-2")


def test_summaries_agree_with_the_models() -> None:
    for summary in summaries():
        if summary.name in ("sagemaker-runtime", "s3", "cloudwatch", "logs", "iam"):
            model = service(summary.name).model
            assert (summary.signing_name, summary.endpoint_prefix) == (model.signing_name, model.endpoint_prefix)
            assert (summary.api_version, summary.target_prefix) == (
                model.api_version,
                model.metadata.get("targetPrefix", ""),
            )
            assert list(summary.protocols) == list(model.protocols)


def test_a_service_and_its_operations() -> None:
    runtime = service("sagemaker-runtime")
    assert (runtime.protocol, runtime.signing_name, runtime.target_prefix) == ("rest-json", "sagemaker", "")
    assert runtime.operation("InvokeEndpoint") is runtime.operation("InvokeEndpoint")
    assert service("cloudwatch").protocol == "json"
    with pytest.raises(UnknownOperationException):
        runtime.operation("Nope")


@pytest.mark.parametrize("name", ["", "nope", "..", "../data", "/etc", ".hidden", "s3/2006-03-01", "endpoints.json"])
def test_unknown_services(name: str) -> None:
    with pytest.raises(UnknownService):
        service(name)


def test_the_import_is_light() -> None:
    code = "import sys, clary.wire.catalog, clary.wire.route, clary.wire.sigv4; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
