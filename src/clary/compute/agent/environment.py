"""The variables of a job's process."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.folder import JobFolder


_LAY_OVER = """
import contextlib, sys

if any(word.rpartition("/")[2].rstrip("0123456789.") == "pip" for word in sys.orig_argv[1:3]):
    with contextlib.suppress(ImportError):
        from pip._internal.metadata.base import BaseDistribution

        BaseDistribution.local = False
"""
"""What lets pip replace a package: it would remove the image's version, which is read-only; what it takes for installed
elsewhere it leaves, and the new version comes first."""


def environment(folder: JobFolder) -> dict[str, str]:
    """The variables of the user's process, in terms of the container."""
    spec, image = folder.spec, folder.spec.image
    search = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    modules = ["/opt/clary"] if folder.place.runtimes else []
    if folder.overlay:
        modules.insert(0, folder.overlay)
        search.insert(0, folder.overlay + "/bin")
    if image.environment:
        search.insert(0, image.environment + "/bin")
    elif image.python:
        search.insert(0, os.path.dirname(image.python))
    values = {
        "PATH": ":".join(search),
        "HOME": "/tmp",
        "USER": "root",  # as in the official containers: some programs look for `sudo` otherwise
        # Who is root unpacks archives with the owners they name, and a sandbox knows one user only.
        "TAR_OPTIONS": "--no-same-owner",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "UTF-8",
        "CLARY_ML_ROOT": "/opt/ml",
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
    }
    ticket = folder.ticket()
    if spec.network and spec.endpoint_url and ticket:
        values["AWS_ENDPOINT_URL"] = spec.endpoint_url
        values["SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT"] = spec.endpoint_url  # for AWS's plugin of MLflow
        values["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = spec.endpoint_url + "/_clary/credentials"
        values["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = ticket
    if spec.limits.cpus:
        threads = str(max(1, int(spec.limits.cpus)))
        values.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads))
    values.update(image.variables)
    given = dict(spec.environment)
    if path := given.pop("PYTHONPATH", ""):
        modules.append(path)
    values.update(given)
    if image.environment:
        modules.append(_own_packages(folder, values))
    if modules:
        values["PYTHONPATH"] = ":".join(modules)
    return values


def _own_packages(folder: JobFolder, values: dict[str, str]) -> str:
    """Let ``pip install`` within the job work, though its environment is read-only; gives the folder of modules."""
    prefix = "/opt/clary/packages"
    values.setdefault("PIP_PREFIX", prefix)
    values.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    values.setdefault("PIP_NO_WARN_SCRIPT_LOCATION", "1")
    values.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    values["PATH"] = f"{prefix}/bin:{values['PATH']}"
    library = folder.spec.image.environment + "/lib"
    names = os.listdir(library) if os.path.isdir(library) else []
    version = next((name for name in names if name.startswith("python")), "python3")
    place = f"lib/{version}/site-packages"
    # A folder that is not there when Python starts is not looked into later.
    os.makedirs(os.path.join(folder.packages, place), exist_ok=True)
    with open(os.path.join(folder.packages, place, "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write(_LAY_OVER)
    return f"{prefix}/{place}"
