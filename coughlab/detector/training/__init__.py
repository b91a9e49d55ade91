"""How the detector is made: its sounds, its network, its fit and its card. Listening imports nothing of this."""
