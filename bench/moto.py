"""moto's server in an environment of its own, for measurements beside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

MOTO = "moto[server]==5.1.22"


@contextmanager
def moto_server(packages: Iterable[dict[str, object]] = ()) -> Iterator[str]:
    """The address of a server that runs for the body of the ``with`` statement; it is installed on the first call.

    It has the model packages that these Create requests make.
    """
    folder = Path(os.environ.get("CLARY_CACHE", Path.home() / ".cache" / "clary")) / "bench" / "moto"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), MOTO], check=True
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-P", str(Path(__file__).with_name("moto_with.py")), str(port)]
    with tempfile.TemporaryFile("w+") as requests:
        requests.writelines(f"{json.dumps(request)}\n" for request in packages)
        requests.seek(0)
        process = subprocess.Popen(command, stdin=requests, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
