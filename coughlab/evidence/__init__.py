"""Interpretation of scores: the steps of the Reality check, the verdict beside an answer, and the paragraph about a model."""
