"""``python -m coughlab`` is the command ``coughlab``."""

from coughlab.cli import main

main()
