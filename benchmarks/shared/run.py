"""How a program is run: size of its input, and its requirements."""

import os
import sys

#: If this environment variable is set, programs run on their smallest input: every line runs, but the figures mean nothing.
SMALLEST = "COUGHLAB_SMALLEST"
#: The exit status of a program that lacks a requirement.
MISSING = 77


def size(whole, smallest):
    """The size of the input: `whole`, or `smallest` if the program only has to show that it works."""
    return smallest if os.environ.get(SMALLEST) else whole


def missing(what):
    """End the program because `what` is missing."""
    print(f"needs {what}", flush=True)
    sys.exit(MISSING)
