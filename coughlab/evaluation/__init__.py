"""Pure functions of labels, probabilities and people: how well a classifier does, and how surely that is known."""
