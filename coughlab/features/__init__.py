"""What is measured in one recording: features, spectrogram, the coughs in it, its quality."""
