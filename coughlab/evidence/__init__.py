"""How far to believe a classifier: pure functions of tables of labels and probabilities."""
