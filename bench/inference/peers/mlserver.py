"""MLServer with its own runtimes for scikit-learn and XGBoost.

No pool of processes, as its documentation advises for light models; no gzip, which it is asked for by no client here.
"""

from __future__ import annotations

import asyncio
import os

from mlserver import MLServer, ModelSettings, Settings
from mlserver.settings import ModelParameters

from bench.inference.peers._predict import FOLDER, KIND, port


async def serve() -> None:
    """Serve until SIGTERM."""
    sklearn = os.environ[KIND] == "sklearn"
    if sklearn:
        from mlserver_sklearn import SKLearnModel as Runtime
    else:
        from mlserver_xgboost import XGBoostModel as Runtime
    settings = Settings(
        debug=False,
        host="127.0.0.1",
        http_port=port(),
        grpc_port=port() + 1,
        metrics_endpoint=None,
        parallel_workers=0,
        gzip_enabled=False,
    )
    model = ModelSettings(
        name="model",
        implementation=Runtime,
        parameters=ModelParameters(uri=f"{os.environ[FOLDER]}/{'model.joblib' if sklearn else 'model.ubj'}"),
        max_batch_size=64,
        max_batch_time=0.001,
    )
    await MLServer(settings).start([model])


if __name__ == "__main__":
    asyncio.run(serve())
