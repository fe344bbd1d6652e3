"""Start the agent of the job folder that the command line names, or, after the word ``gate``, the gate of a network."""

import os
import sys

if __name__ == "__main__":
    # Isolated mode has no path to this package; the folder that holds `clary` goes last, for nothing else is wanted
    # from there.
    folder = __file__
    for _ in range(4):
        folder = os.path.dirname(folder)  # pathlib takes as long to import as all of the agent
    sys.path.append(folder)
    if sys.argv[1] == "gate":
        from clary.compute.agent.gate import main

        sys.exit(main(*sys.argv[2:]))
    from clary.compute.agent.attempt import main as run

    sys.exit(run(sys.argv[1]))
