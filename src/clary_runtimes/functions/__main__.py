"""``python -m clary_runtimes.functions``: the execution environment of a function, on the socket of its container.

Environment: ``CLARY_SERVE_SOCKET``; ``CLARY_FUNCTION_TIMEOUT`` (seconds); ``CLARY_FUNCTION_VARIABLES``, the function's
own variables as JSON; and what AWS's runtime has: ``_HANDLER``, ``LAMBDA_TASK_ROOT``, ``AWS_LAMBDA_FUNCTION_…``.

It answers ``GET /ping``, and ``POST /invocations`` with the event as the body.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from clary_runtimes.functions import handler, listener, variables
from clary_runtimes.functions.invocation import Invocations
from clary_runtimes.functions.process import Function


def main() -> int:
    """Serve until the process is ended."""
    made = listener.listen(os.environ["CLARY_SERVE_SOCKET"])
    folder = os.environ[variables.TASK_ROOT]
    # Forked before there are threads: later nobody could tell what they hold.
    start = partial(Function, handler.run, variables.of_function(os.environ), folder)
    timeout = float(os.environ["CLARY_FUNCTION_TIMEOUT"])
    invocations = Invocations(start, timeout, int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]))
    listener.serve(made, invocations.invoke)
    return 0


if __name__ == "__main__":
    sys.exit(main())
