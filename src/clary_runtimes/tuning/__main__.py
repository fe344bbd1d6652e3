"""``python -m clary_runtimes.tuning [SECONDS]``: answers requests for the next points to try, one line of JSON each.

A request is a line on the standard input (``request.py``); its answer is a line on the standard output, ``{"points":
[[…], …]}`` or ``{"error": "…"}``. Nothing is kept between requests. The program ends with its input, or once no request
has come for SECONDS (120).
"""

from __future__ import annotations

import argparse
import os
import sys

IDLE_S = 120.0


def main() -> int:
    """Answer until nobody asks any more."""
    parser = argparse.ArgumentParser(prog="clary_runtimes.tuning", description="Search for hyperparameters.")
    parser.add_argument("seconds", nargs="?", type=float, default=IDLE_S, help="end after so long without a request")
    seconds: float = parser.parse_args().seconds
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # the matrices are small: threads wait for each other longer than they compute
    from clary_runtimes.tuning.answers import answer, lines

    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library prints is no answer
        for line in lines(0, seconds):
            answers.write(answer(line))
            answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
