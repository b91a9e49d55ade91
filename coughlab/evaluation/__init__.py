"""Scores of a classifier and their uncertainty: pure functions of labels, probabilities and people."""
