"""Files, processes, memory and logs."""
