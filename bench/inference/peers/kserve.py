"""KServe's Python server with a model of its own class. Its batching is a sidecar of Kubernetes, not of this server."""

from __future__ import annotations

from typing import Any

import kserve
import numpy as np

from bench.inference.peers._predict import port, predictor


class Model(kserve.Model):
    """Answers rows with predictions, in its first protocol."""

    def load(self) -> bool:
        self.model = predictor()
        self.ready = True
        return self.ready

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> dict[str, Any]:
        rows = np.array(payload["instances"], dtype=np.float32)
        return {"predictions": self.model(rows).tolist()}


if __name__ == "__main__":
    model = Model("model")
    model.load()
    server = kserve.ModelServer(http_port=port(), workers=1, enable_grpc=False, enable_latency_logging=False)
    server.start([model])
