"""Predictions for recordings: one by one, in worker processes, and for many at once."""
