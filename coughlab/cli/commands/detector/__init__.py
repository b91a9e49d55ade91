"""Train and measure the cough detector."""

ORDER = 90
