"""Is a dataset sound? Finds its faults without being given any hint."""
