"""Files, processes, memory and logs: what CoughLab takes of the machine it runs on."""
