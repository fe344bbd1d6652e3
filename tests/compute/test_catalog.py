"""The catalogue of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.compute.images.catalog import Catalogue, CatalogueError, ImageNotExact, ImageNotFound, catalogue, find, split


@pytest.mark.parametrize(
    ("uri", "name", "exact"),
    [
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", "xgboost-1.7", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5", "xgboost-3.0", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1", "xgboost-1.7", False),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1", "xgboost-1.7", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "scikit-learn-1.2", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1", "scikit-learn-1.2", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3", "scikit-learn-1.4", True),
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:0.23-1-cpu-py3",
            "scikit-learn-1.2",
            False,
        ),
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-cpu-py3",
            "scikit-learn-1.2",
            False,
        ),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "linear-learner", True),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:latest", "linear-learner", True),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.19.0-cpu-py312", "tensorflow-2.19", True),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.19-cpu", "tensorflow-2.19", True),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.18.0-cpu", "tensorflow-2.18", True),
        ("clary-mlflow:3.17.2", "mlflow-3", True),
        ("clary-mlflow:2.16.2", "mlflow-3", False),
        ("clary/python:3.11", "python-3.11", True),
        ("linear-learner", "linear-learner", True),
    ],
)
def test_official_uris(uri: str, name: str, exact: bool) -> None:
    match = find(uri)
    assert (match.image.name, match.exact) == (name, exact)
    if exact:
        assert find(uri, strict=True) == match
    else:
        assert "stands in" in match.notes[0]
        with pytest.raises(ImageNotExact):
            find(uri, strict=True)


@pytest.mark.parametrize(
    ("tag", "name"),
    [("2.18-gpu", "tensorflow-2.18"), ("2.12.1-gpu", "tensorflow-2.19"), ("2.9-cpu", "tensorflow-2.19")],
)
def test_servers_of_tensorflow_of_other_kinds_are_near(tag: str, name: str) -> None:
    match = find(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-inference:{tag}")
    assert (match.image.name, match.exact) == (name, False)


def test_unknown_images_name_the_nearest() -> None:
    with pytest.raises(ImageNotFound, match=r"sagemaker-xgboost:1\.7-1"):
        find("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:99-1")
    with pytest.raises(ImageNotFound, match="linear-learner:1"):
        find("x/linearlearner:1")


def test_references_are_split() -> None:
    assert split("localhost:5000/team/image") == ("localhost:5000/team/image", "latest")
    assert split("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b:1@sha256:00") == ("a/b", "1")


@pytest.mark.parametrize("name", list(catalogue().images))
def test_every_image_is_locked(name: str) -> None:
    image = catalogue().images[name]
    assert all("==" in each and "/" not in each for each in image.requirements)
    assert bool(image.wanted) == bool(image.requirements)
    if image.serve:
        assert {"uvicorn", "uvloop", "httptools", "numpy"} <= {each.partition("==")[0] for each in image.requirements}
    for example in image.examples:
        assert find(example).image is image


def test_wrong_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('name = "x"')
    with pytest.raises(CatalogueError, match=r"x\.toml"):
        Catalogue(tmp_path)
