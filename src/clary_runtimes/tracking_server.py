"""``python -m clary_runtimes.tracking_server``: MLflow's tracking server on the socket of its container.

Environment: ``CLARY_SERVE_SOCKET``; ``CLARY_TRACKING_FOLDER``, which holds the database; ``CLARY_TRACKING_ARTIFACTS``,
the S3 URI of the artifacts; and MLflow's own variables.

It is what ``mlflow server --workers 1`` ends up with, without the process that only waits for the other one: that takes
as long to import MLflow, and as much memory.

Reference: https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

DATABASE = "mlflow.db"


def check_bucket(artifacts: str, owner: str) -> None:
    """See whether the bucket of the S3 URI ``artifacts`` is there for us, and belongs to the account ``owner`` if one
    is named.

    Raises ``SystemExit``, so that it is not noticed only when somebody's work is to be stored.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = urlsplit(artifacts).netloc
    try:
        boto3.client("s3").head_bucket(Bucket=bucket, **({"ExpectedBucketOwner": owner} if owner else {}))
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"The artifact store {artifacts} cannot be used: {error}") from error


def main() -> int:
    """Serve until told to stop; returns the exit status."""
    folder, artifacts = os.environ["CLARY_TRACKING_FOLDER"], os.environ["CLARY_TRACKING_ARTIFACTS"]
    check_bucket(artifacts, os.environ.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER", ""))
    from mlflow.server import constants

    store = f"sqlite:///{folder}/{DATABASE}"
    # MLflow's command hands these to the process that serves; its modules read them when they are imported.
    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = store
    # New experiments keep their artifacts in S3 itself; the server stands between only for ``mlflow-artifacts:`` URIs.
    os.environ[constants.ARTIFACT_ROOT_ENV_VAR] = artifacts
    os.environ[constants.ARTIFACTS_DESTINATION_ENV_VAR] = artifacts
    os.environ[constants.SERVE_ARTIFACTS_ENV_VAR] = "true"
    import uvicorn
    from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(store, store, artifacts)
    uvicorn.run(
        "mlflow.server.fastapi_app:app",
        uds=os.environ["CLARY_SERVE_SOCKET"],
        # Whoever asks is behind the socket alone; nothing that a request says of its origin counts.
        proxy_headers=False,
        access_log=False,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
