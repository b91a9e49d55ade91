"""The two files that the published deployment needs, made from our MLP, so that both stacks give the same answer."""

import pickle
import sys
from pathlib import Path

import keras
import numpy as np
from sklearn.preprocessing import StandardScaler

from coughlab.studies.store import MODELS

OURS = MODELS / "kaggle-trial" / "mlp.keras"


def prepare(folder):
    """Write ``mlp.keras``, which reads standardised features, and ``scaler.pkl``, which standardises them."""
    standardise, *layers = keras.models.load_model(OURS).layers
    model = keras.Sequential([keras.layers.Input((26,)), *layers])
    model.compile("adam", "binary_crossentropy")
    model.save(Path(folder, "mlp.keras"))
    mean, variance = np.ravel(standardise.mean), np.ravel(standardise.variance)
    # Two rows with this mean and this variance.
    scaler = StandardScaler().fit([mean - np.sqrt(variance), mean + np.sqrt(variance)])
    Path(folder, "scaler.pkl").write_bytes(pickle.dumps(scaler))


if __name__ == "__main__":
    prepare(sys.argv[1])
