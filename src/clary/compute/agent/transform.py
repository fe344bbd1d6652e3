"""Batch transform: run a model server, and send it this host's share of the input, object after object.

One thread reads payloads, several invoke the model, one puts the answers together in the order of the payloads, and one
uploads; the main thread watches the server. Payloads of several objects are under way at once, and no more of them than
the model can be busy with.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

from clary.compute.agent.attempt import Failure
from clary.compute.agent.channel import Channel
from clary.compute.agent.once import ServerOnce
from clary.compute.agent.s3 import Interrupted, StoreError, StoreUnreachable
from clary.compute.agent.series import Others
from clary.compute.agent.staging import DataError, connect
from clary.compute.agent.transforming import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.attempt import Attempt

DYING_S = 1.0


class BatchTransform(ServerOnce):
    """One attempt at one host's share of a transform job."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt)
        self._others = Others(attempt.folder)
        self._work = Work(attempt, self.over)

    def check(self) -> None:
        """See that there is something to transform, before anything is started for it."""
        transform = self.attempt.spec.transform
        assert transform is not None
        folder = self.attempt.folder
        channel = Channel(transform.source, folder, connect(folder, lambda: not self.attempt.stop_wanted()))
        try:
            channel.check()
        except Interrupted:
            return  # the server, which is about to start, is stopped at once
        except StoreError as error:
            raise Failure("client", f"ClientError: {channel.missing(error)}") from error
        except DataError as error:
            raise Failure("client", f"ClientError: {error}") from error
        except StoreUnreachable as error:
            raise Failure("internal", f"InternalServerError: {error}") from error

    def work(self, address: str) -> None:
        addresses = [address, *self._others.addresses(lambda: not self.over.is_set())]
        self._work.run(addresses, [self.attempt.spec.container, *self._others.names()])
        if self._work.unanswered:
            # A server that has died is known to have, in a moment, and its end says more than that.
            self.over.wait(DYING_S)

    def look(self) -> None:
        # What another container has failed with says more than what comes of it here.
        self.error = self._others.failure() or self.error

    def failure(self) -> tuple[str, str] | None:
        return self._work.failure
