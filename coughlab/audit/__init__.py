"""Is a dataset sound? What is wrong with it, found without being told what to look for."""
