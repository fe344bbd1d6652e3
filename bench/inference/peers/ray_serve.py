"""Ray Serve with dynamic batching and, as its documentation advises for throughput, HAProxy before the replica."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import orjson
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from bench.inference.peers._predict import port, predictor, together


@serve.deployment(
    num_replicas=1,
    max_ongoing_requests=256,
    ray_actor_options={"num_cpus": 1},
    health_check_period_s=3600,
    health_check_timeout_s=3600,
)
class Model:
    """Answers rows with predictions."""

    def __init__(self) -> None:
        self.model = predictor()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.0)
    async def predict(self, inputs: list[Any]) -> list[Any]:
        return together(self.model, inputs)

    async def __call__(self, request: Request) -> Response:
        rows = np.array(orjson.loads(await request.body()), dtype=np.float32)
        answer = orjson.dumps(await self.predict(rows), option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(answer, media_type="application/json")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    folder = os.environ["TMPDIR"]
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, _temp_dir=f"{folder}/ray")
    serve.start(http_options={"host": "127.0.0.1", "port": port()})
    serve.run(Model.bind(), logging_config={"enable_access_log": False, "log_level": "ERROR"})
    signal.sigwait({signal.SIGTERM})
