"""Environments, overlays and bundles, really built."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from clary.compute.images import environments
from clary.compute.images.bundle import BundleError, export_images, import_images
from clary.compute.images.catalog import catalogue
from clary.compute.images.environments import BuildError, ImageNotReady, ImageStore
from clary.compute.images.overlays import OverlayError, build, check
from clary.core.settings import Settings
from clary.testing.contracts.waiting import wait_for

PYTHON = "clary/python:3.11"


@pytest.fixture
def images(settings: Settings) -> ImageStore:
    return ImageStore(settings)


def test_an_environment_is_built_beside_and_once(images: ImageStore) -> None:
    assert images.state(PYTHON) == "absent"
    with pytest.raises(ImageNotReady, match="clary images pull"):
        images.spec(PYTHON)
    assert images.ensure(PYTHON).state == "building"
    assert images.ensure(PYTHON).state in ("building", "ready")
    wait_for(lambda: images.state(PYTHON) == "ready")
    spec = images.spec(PYTHON)
    done = subprocess.run(
        [spec.python, "-c", "import sys; print(sys.prefix, sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    prefix, base = done.stdout.split()
    assert prefix == spec.environment
    assert spec.paths == ([] if base in ("/usr", "/usr/local") else [base])
    assert images.ensure(PYTHON).state == "ready"


def test_a_failed_build_says_why_and_is_tried_again(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    image = replace(catalogue().images["python-3.11"], requirements=("no-such-package-anywhere==1.0",))
    with pytest.raises(BuildError, match="no-such-package-anywhere"):
        images.build(image)
    assert images.progress_of(image).state == "failed"
    assert "no-such-package-anywhere" in images.progress_of(image).message
    assert not images.environment(image).exists()
    assert list(images.environment(image).parent.glob("*/")) == []


def test_offline_errors_have_a_remedy() -> None:
    image = catalogue().images["xgboost-1.7"]
    text = environments._explain(image, "error: Failed to fetch: `https://x`\n  Caused by: dns error")
    assert "clary images export xgboost-1.7" in text
    assert "UV_FIND_LINKS" in text


def test_bundles_carry_environments(images: ImageStore, tmp_path: Path) -> None:
    image = catalogue().images["python-3.11"]
    bundle = tmp_path / "bundle.tar.gz"
    with pytest.raises(BundleError, match="images pull"):
        export_images(images, [image], bundle)
    images.build(image)
    export_images(images, [image], bundle)
    elsewhere = ImageStore(Settings(home=tmp_path / "other", cache=tmp_path / "elsewhere"))
    assert import_images(elsewhere, bundle) == ["python-3.11"]
    assert import_images(elsewhere, bundle) == []
    spec = elsewhere.spec(PYTHON)
    done = subprocess.run(
        [spec.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == spec.environment
    (tmp_path / "other.tar").write_bytes(b"no bundle")
    with pytest.raises(BundleError):
        import_images(elsewhere, tmp_path / "other.tar")


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "-e .",
        "./package",
        "/etc",
        "git+https://x/y.git",
        "x @ file:///etc/passwd",
        "--find-links=/etc",
        "-c c.txt",
        "x @ https://h/x.tar.gz",
    ],
)
def test_requirements_that_read_files_or_run_code_are_refused(line: str) -> None:
    with pytest.raises(OverlayError, match="is not taken"):
        check(f"numpy\n{line}\n")


def test_requirements_are_read() -> None:
    text = (
        "# comment\nnumpy>=1 # why\n\nrequests[socks]==2.0 ; python_version > '3'\n--index-url"
        " https://h/simple\npandas \\\n  >=1\nx @ https://h/x.whl\n"
    )
    assert check(text) == [
        "numpy>=1",
        "requests[socks]==2.0 ; python_version > '3'",
        "--index-url https://h/simple",
        "pandas    >=1",
        "x @ https://h/x.whl",
    ]


def test_an_overlay_is_built_once(images: ImageStore, tmp_path: Path) -> None:
    environment = images.build(catalogue().images["python-3.11"])
    notes: list[str] = []
    made = [
        build(
            str(tmp_path / "overlays"),
            find_uv_bin(),
            str(environment),
            str(environment / "bin" / "python"),
            "toolz\n",
            notes.append,
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(notes) == 1
    assert (Path(made[0]) / "toolz").is_dir()
    with pytest.raises(OverlayError, match="UV_FIND_LINKS"):
        build(
            str(tmp_path / "o"),
            find_uv_bin(),
            str(environment),
            str(environment / "bin" / "python"),
            "no-such-package-anywhere\n",
            notes.append,
        )


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_scikit_learn_trains_in_its_environment(settings: Settings) -> None:
    images = ImageStore(settings)
    uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    images.ensure(uri)
    wait_for(lambda: images.state(uri) == "ready", timeout=600)
    spec = images.spec(uri)
    code = (
        "import sklearn, sklearn.linear_model as l; l.LogisticRegression().fit([[0], [1]], [0, 1]);"
        " print(sklearn.__version__)"
    )
    done = subprocess.run([spec.python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.2.1"
