"""The peers: which packages they need, how they are started, and how rows and predictions look in their protocols.

Every peer has one process for the model, logs no requests, and is given the settings that its documentation advises for
light models. The modules beside this one run in the peers' own environments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Rows = Sequence[Sequence[float]]
COMMON = ("scikit-learn==1.4.2", "numpy==1.26.4", "scipy==1.13.1", "joblib==1.6.0", "xgboost-cpu==3.0.5")
"""The versions of Clary's images."""


@dataclass(frozen=True)
class Peer:
    """One peer; ``ask`` gives the document of a request, ``told`` finds the predictions in that of an answer."""

    title: str
    module: str
    packages: tuple[str, ...]
    path: str
    ask: Callable[[Rows], Any]
    told: Callable[[Any], Sequence[float]]
    note: str
    overrides: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    """The arguments for Python where the module is not run itself; ``{port}`` is the port."""
    variables: dict[str, str] = field(default_factory=dict)
    """Of its environment; ``{folder}`` is a folder of its own."""


def _tensor(rows: Rows) -> Any:
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": "rows", "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": data}]}


PEERS = {
    "uvicorn": Peer(
        "bare uvicorn",
        "bare_uvicorn",
        ("uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", "orjson==3.13.0"),
        "/",
        lambda rows: rows,
        lambda answer: answer,
        "a raw ASGI callable, uvloop, httptools, orjson",
    ),
    "mlserver": Peer(
        "MLServer",
        "mlserver",
        ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "mlserver-xgboost==1.7.1"),
        "/v2/models/model/infer",
        _tensor,
        lambda answer: answer["outputs"][0]["data"],
        "its own runtimes, batches of up to 64 within 1 ms, no pool of processes, no gzip, no metrics",
        # The same library, without what it brings for graphics cards.
        overrides=("xgboost; sys_platform == 'never'",),
    ),
    "bentoml": Peer(
        "BentoML",
        "bentoml",
        ("bentoml==1.4.39",),
        "/predict",
        lambda rows: {"rows": rows},
        lambda answer: answer,
        "adaptive batching, no metrics",
        program=(
            *("-m", "bentoml", "serve", "bench.inference.peers.bentoml:Model"),
            "--host=127.0.0.1",
            "--port={port}",
        ),
        variables={"BENTOML_DO_NOT_TRACK": "True"},
    ),
    "litserve": Peer(
        "LitServe",
        "litserve",
        ("litserve==0.2.19",),
        "/predict",
        lambda rows: {"rows": rows},
        lambda answer: answer,
        "batches of up to 64 within 1 ms, fast_queue",
    ),
    "kserve": Peer(
        "KServe",
        "kserve",
        ("kserve==0.21.0",),
        "/v1/models/model:predict",
        lambda rows: {"instances": rows},
        lambda answer: answer["predictions"],
        "its Python server, protocol V1",
    ),
    "ray": Peer(
        "Ray Serve",
        "ray_serve",
        ("ray[serve]==2.60.0", "orjson==3.13.0"),
        "/",
        lambda rows: rows,
        lambda answer: answer,
        "batches of up to 64, RAY_SERVE_THROUGHPUT_OPTIMIZED, RAY_SERVE_ENABLE_HA_PROXY",
        variables={
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": "{folder}/haproxy/haproxy.cfg",
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": "{folder}/haproxy/metrics.sock",
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": "{folder}/haproxy",
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": "{folder}/haproxy/server-state",
            "RAY_SERVE_HAPROXY_SOCKET_PATH": "{folder}/haproxy/admin.sock",
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            # It rests while others are measured, which must not look like a failure.
            "RAY_health_check_period_ms": "3600000",
            "RAY_health_check_timeout_ms": "3600000",
        },
    ),
}


def request(peer: Peer, rows: Rows) -> bytes:
    """The body of a request."""
    return json.dumps(peer.ask(rows), separators=(",", ":")).encode()
