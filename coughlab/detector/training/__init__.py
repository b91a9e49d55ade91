"""Training of the detector: sounds, network, fit and card. Detection imports nothing from here."""
