"""``python -m clary.edge --home DIR``; the supervisor starts it."""

import gc
import sys

# Loading modules makes hundreds of thousands of objects, and looking for garbage among them takes a sixth of the start;
# ``clary.core.process.begin`` turns the search on again.
gc.disable()

from clary.edge.run import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
