"""The command ``coughlab``."""
