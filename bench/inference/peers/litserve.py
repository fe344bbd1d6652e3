"""LitServe with batching."""

from __future__ import annotations

from typing import Any

import litserve
import numpy as np

from bench.inference.peers._predict import port, predictor, together


class Model(litserve.LitAPI):
    """Answers rows with predictions."""

    def setup(self, device: str) -> None:
        self.model = predictor()

    def decode_request(self, request) -> Any:
        return np.array(request["rows"], dtype=np.float32)

    def batch(self, inputs: list[Any]) -> list[Any]:
        return inputs

    def predict(self, x: list[Any]) -> list[Any]:
        return together(self.model, x)

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def encode_response(self, output) -> Any:
        return output.tolist()


if __name__ == "__main__":
    server = litserve.LitServer(
        Model(max_batch_size=64, batch_timeout=0.001), accelerator="cpu", workers_per_device=1, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=port(),
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
