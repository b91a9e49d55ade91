"""CoughLab: what models say of a cough, and how far they can be believed."""

__version__ = "0.1.0"
