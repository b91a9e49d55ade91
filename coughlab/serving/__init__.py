"""Answers to recordings: one by one, in worker processes, and many at once."""
