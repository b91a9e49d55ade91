"""Is a dataset sound? Finds what is wrong with it, with no hint of what that may be."""
