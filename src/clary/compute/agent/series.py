"""The containers of an inference pipeline, each in an attempt of its own, beside one another on a host.

The agent of the first one has the batch, and sends what a container has answered to the next one. Those of the others
keep their servers up until the first one has ended.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-batch.html
"""

from __future__ import annotations

import os
import time

from clary.compute.agent.attempt import Failure
from clary.compute.agent.folder import read_spec
from clary.compute.agent.once import ServerOnce
from clary.compute.agent.peers import has_ended, is_alive, last_event
from clary.compute.agent.s3 import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from clary.compute.agent.folder import JobFolder

LOOK_S = 0.05


class Others:
    """The containers after the first one, as its agent sees them; none of a model of one container."""

    def __init__(self, folder: JobFolder) -> None:
        self._folders = folder.place.series[1:]
        self._attempt = folder.spec.attempt
        self._serving = False

    def addresses(self, wanted: Callable[[], bool]) -> list[str]:
        """Where they listen, once all of them are healthy. Raises ``Failure`` if one never will be, and
        ``Interrupted``."""
        found = []
        for folder in self._folders:
            while (event := last_event(folder, self._attempt)).get("event") != "serving":
                if (failure := self.failure()) is not None:
                    raise failure
                if not wanted():
                    raise Interrupted
                time.sleep(LOOK_S)
            found.append(event["address"])
        self._serving = True
        return found

    def names(self) -> list[str]:
        """What they are called, once they are healthy."""
        return [read_spec(os.path.join(folder, "spec.json")).container for folder in self._folders]

    def failure(self) -> Failure | None:
        """What one of them has failed with, which is what the batch fails with."""
        for folder in self._folders:
            # First whether it is there, then what it said: one that ends in between is seen with its last word.
            alive = is_alive(folder)
            event = last_event(folder, self._attempt)
            if event.get("event") == "failed":
                return Failure(event["reason"], event["message"], event.get("exit_code"))
            if self._serving and not alive and not has_ended(event):
                return Failure("internal", "InternalServerError: The agent of another container died.")
        return None


class Companion(ServerOnce):
    """One attempt at a container that is not the first of its series."""

    def work(self, address: str) -> None:
        self.over.wait()  # its requests come from the agent of the first container
        raise Interrupted

    def look(self) -> None:
        folder = self.attempt.folder
        self.finished = has_ended(last_event(folder.place.series[0], folder.spec.attempt))
