"""The ``sagemaker`` SDK 2.257 in an environment of its own: each program in ``sdk_v2/`` is a user's notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from parity_clients import Client

from clary.testing.server import Server

_STORIES = sorted(Path(__file__).with_name("sdk_v2").glob("*.py"))


@pytest.mark.slow("sdk-v2")
@pytest.mark.parametrize("story", _STORIES, ids=lambda file: file.stem)
def test_story(clary_aws: Server, client_environment: Callable[[str], Client], story: Path) -> None:
    output = client_environment("sagemaker-v2").story(clary_aws, story)
    assert output.endswith("the story ended well\n")
