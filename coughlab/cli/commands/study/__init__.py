"""Train and measure models."""

ORDER = 50
