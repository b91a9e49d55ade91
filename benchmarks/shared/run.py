"""How a program is run: how much it measures, and what it cannot do without."""

import os
import sys

#: Where this environment variable is set, programs run on their smallest input: every line runs, and no figure means anything.
SMALLEST = "COUGHLAB_SMALLEST"
#: The exit status of a program that needs what is not there.
MISSING = 77


def size(whole, smallest):
    """How much is measured: `whole`, or `smallest` where the program only has to show that it works."""
    return smallest if os.environ.get(SMALLEST) else whole


def missing(what):
    """End the program for want of `what`."""
    print(f"needs {what}", flush=True)
    sys.exit(MISSING)
