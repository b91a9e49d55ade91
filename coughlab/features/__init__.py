"""Measurements on one recording: features, spectrogram, levels, quality, recording chain, fingerprint."""
