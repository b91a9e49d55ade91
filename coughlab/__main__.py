"""``python -m coughlab`` is the command ``coughlab``."""

from coughlab.cli.main import main

main()
