"""The examples of the documentation run as they stand there.

A comment before a block says how: ``<!-- run: boto3 -->`` and so on. Blocks of Python must have one, or be marked with
``<!-- not run: reason -->``. ``prepare`` blocks run before each other block of their page, in its folder.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clary.testing.server import Server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<how>[^>]*) -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
CLIENTS = ("aws-cli", "mlflow", "s3-clients", "s3a", "sagemaker-v2", "sagemaker-v3")


@dataclass(frozen=True)
class Block:
    """One example: ``how`` it is run, and its place."""

    page: Path
    line: int
    how: str
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(page, line, match["how"] or "", match["language"], match["text"]))
    return found


ALL = [block for page in PAGES for block in blocks(page)]
RUN = [block for block in ALL if block.how.startswith("run: ")]


def marked(block: Block) -> Any:
    client = block.how.removeprefix("run: ") in CLIENTS
    return pytest.param(block, id=block.place, marks=pytest.mark.slow("docs") if client else ())


@pytest.mark.parametrize("block", [pytest.param(b, id=b.place) for b in ALL if b.language == "python"])
def test_every_block_of_python_says_whether_it_runs(block: Block) -> None:
    assert re.match(r"run: |not run: ", block.how), f"{block.place} has no comment that says how to run it"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.fixture(scope="module")
def clients() -> Any:
    """The environments of other clients, which the parity tests describe."""
    file = ROOT / "tests" / "parity" / "parity_clients.py"
    spec = importlib.util.spec_from_file_location("parity_clients", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["parity_clients"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(900)
@pytest.mark.parametrize("block", [marked(block) for block in RUN if block.how != "run: prepare"])
def test_example(block: Block, clary_aws: Server, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    who = clary_aws.environment if block.how == "run: administrator" else clary_aws.environment_as()
    environment = {**who, "CLARY_HOME": str(clary_aws.home), "HOME": str(tmp_path)}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    for before in RUN:
        if before.page == block.page and before.how == "run: prepare":
            run(["/bin/sh", "-eu", "-c", before.text], environment, tmp_path)
    run(RUNNERS[block.how.removeprefix("run: ")](block, environment, tmp_path, request), environment, tmp_path)


def run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=800
    )
    assert done.returncode == 0, done.stdout + done.stderr


Runner = Callable[[Block, dict[str, str], Path, pytest.FixtureRequest], list[str]]


def with_python(block: Block, environment: dict[str, str], folder: Path, _: pytest.FixtureRequest) -> list[str]:
    (folder / "example.py").write_text(block.text)
    return [sys.executable, "example.py"]


def with_shell(block: Block, environment: dict[str, str], folder: Path, _: pytest.FixtureRequest) -> list[str]:
    return ["/bin/sh", "-eu", "-c", block.text]


def with_pytest(block: Block, environment: dict[str, str], folder: Path, _: pytest.FixtureRequest) -> list[str]:
    (folder / "test_example.py").write_text(block.text)
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]


def with_client(block: Block, environment: dict[str, str], folder: Path, request: pytest.FixtureRequest) -> list[str]:
    """In the environment that holds the client, with Clary's own command line within reach."""
    name = block.how.removeprefix("run: ")
    programs = request.getfixturevalue("clients").environment(name) / "bin"
    clary = shutil.which("clary", path=str(Path(sys.executable).parent))
    assert clary is not None
    (folder / "bin").mkdir()
    (folder / "bin" / "clary").symlink_to(clary)
    environment["PATH"] = os.pathsep.join([str(folder / "bin"), str(programs), os.environ["PATH"]])
    environment |= {"AWS_PAGER": "", "SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
    if block.language == "sh":
        return ["/bin/sh", "-eu", "-c", block.text]
    (folder / "example.py").write_text(block.text)
    return [str(programs / "python"), "example.py"]


RUNNERS: dict[str, Runner] = {
    "administrator": with_python,
    "boto3": with_python,
    "python": with_python,
    "sh": with_shell,
    "pytest": with_pytest,
    **dict.fromkeys(CLIENTS, with_client),
}
