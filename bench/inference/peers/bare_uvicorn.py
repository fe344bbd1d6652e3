"""No framework: a raw ASGI callable under uvicorn, the fewest steps in which Python answers at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import uvicorn

from bench.inference.peers._predict import port, predictor

predict = predictor()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer a list of rows with a list of predictions."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    rows = np.array(orjson.loads(body), dtype=np.float32)
    answer = orjson.dumps(predict(rows), option=orjson.OPT_SERIALIZE_NUMPY)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(
        application,
        port=port(),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
