"""The published deployment, rebuilt from its description: Flask, librosa, a pickled standardiser, Keras.

    python benchmarks/published/serve.py FOLDER PORT

FOLDER has the files that ``prepare`` of `benchmarks/published/files.py` writes.
"""

import io
import pickle
import sys
from pathlib import Path

import keras
import librosa
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


def measure(file):
    """The 26 features, one librosa call each."""
    y, sr = librosa.load(file, duration=5)
    return [
        np.mean(librosa.feature.chroma_stft(y=y, sr=sr)),
        np.mean(librosa.feature.rms(y=y)),
        np.mean(librosa.feature.spectral_centroid(y=y, sr=sr)),
        np.mean(librosa.feature.spectral_bandwidth(y=y, sr=sr)),
        np.mean(librosa.feature.spectral_rolloff(y=y, sr=sr)),
        np.mean(librosa.feature.zero_crossing_rate(y)),
        *(np.mean(row) for row in librosa.feature.mfcc(y=y, sr=sr)),
    ]


@app.post("/predict")
def predict():
    row = scaler.transform([measure(io.BytesIO(request.files["file"].read()))])
    probability = float(model.predict(row, verbose=0)[0, 0])
    return jsonify(label="covid" if probability >= 0.5 else "not_covid", probability=probability)


if __name__ == "__main__":
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    model = keras.models.load_model(folder / "mlp.keras")
    scaler = pickle.loads((folder / "scaler.pkl").read_bytes())
    app.run(port=port)
