"""What a hostile job can do, in each sandbox that works here: with control groups, without, and as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import clary
from clary.compute.isolation.select import ISOLATIONS, availability
from clary.testing.contracts.escapes import EscapeContract

NOBODY = "65534"


@pytest.fixture(params=[name for name, each in ISOLATIONS.items() if each.sandboxed])
def isolation(request: pytest.FixtureRequest) -> str:
    works, remedy = availability(request.param)
    if not works:
        pytest.skip(remedy)
    return str(request.param)


class TestEscapes(EscapeContract):
    pass


@pytest.mark.slow("escape")
class TestEscapesWithoutGroups(EscapeContract):
    @pytest.fixture(autouse=True)
    def no_groups(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("clary.compute.placement.local", "clary.testing.contracts.escapes"):
            monkeypatch.setattr(f"{module}.groups", lambda isolation: {})


@pytest.fixture
def own() -> Iterator[Path]:
    """A folder of the ordinary user's; pytest's lie where only root may look."""
    with tempfile.TemporaryDirectory(prefix="own-") as folder:
        os.chown(folder, int(NOBODY), int(NOBODY))
        yield Path(folder)


@pytest.mark.slow("escape")
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the other tests as such")
def test_an_ordinary_user_is_as_safe(own: Path) -> None:
    packages = [str(Path(clary.__file__).parents[1]), str(Path(pytest.__file__).parents[1])]
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "-i", f"HOME={own}"]
    as_nobody += [
        "PATH=/usr/bin:/bin",
        f"TMPDIR={own}",
        "PYTHONDONTWRITEBYTECODE=1",
        f"PYTHONPATH={':'.join(packages)}",
    ]
    # The interpreter of the tests may lie where only root may look.
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        trial = subprocess.run([*as_nobody, python, "-c", "import pytest, botocore, clary"], check=False, cwd="/")
        if trial.returncode == 0:
            break
    else:
        pytest.skip("an ordinary user may read no Python with these packages here")
    command = [*as_nobody, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={own}/t"]
    root = Path(__file__).parents[2]
    networks = "bubblewrap and (reached or owner or port or speak or left or platform)"
    for wanted in ([f"{__file__}::TestEscapes"], ["tests/compute/test_local_placement.py", "-k", networks]):
        done = subprocess.run([*command, *wanted], check=False, cwd=root, capture_output=True, text=True, timeout=250)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
