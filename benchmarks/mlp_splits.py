"""The case study's MLP on many splits: ours, side by side in NumPy, compared to one Keras fit after another.

    python benchmarks/mlp_splits.py

Ours trains all splits on every core: groups of splits in processes of one thread each; starting them is included. Keras fits the
first few of the same splits, after one to warm up, with its default threads. Then our scores are compared, split by split, with
those of the Keras fits that are stored with the study.
"""

import time

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from shared import products
from shared.run import size
from shared.table import Row, show

from coughlab.classifiers import mlp
from coughlab.classifiers.mlp import MLP
from coughlab.evaluation import scoring, splits
from coughlab.features.acoustic import NAMES
from coughlab.studies import store
from coughlab.system import resources

SPLITS, FITS, EPOCHS = size((100, 5, MLP.epochs), (2, 1, 1))
GOAL = 20
#: Splits per task of a process.
PART = 10
SCORES = ("accuracy", "sensitivity", "specificity", "log_loss")


def ours(X, labels, trains, seeds):
    """Fitted models, and wall and CPU seconds per split."""
    started = time.perf_counter()
    parts = [slice(at, at + PART) for at in range(0, len(trains), PART)]
    made = Parallel(resources.cores())(
        delayed(worked)(X, labels, trains[part], seeds[part]) for part in parts
    )
    clock = time.perf_counter() - started
    fitted = [one for models, _ in made for one in models]
    return fitted, clock / len(trains), sum(seconds for _, seconds in made) / len(trains)


def worked(X, labels, trains, seeds):
    started = time.process_time()
    return MLP.fit_many(X, labels, trains, seeds=seeds, epochs=EPOCHS), time.process_time() - started


def keras(X, labels, trains, seeds):
    """Wall and CPU seconds of each fit."""
    MLP.fit(X[trains[0]], labels[trains[0]], seed=0, epochs=EPOCHS)
    times = []
    for rows, seed in zip(trains, seeds, strict=True):
        started = time.perf_counter(), time.process_time()
        MLP.fit(X[rows], labels[rows], seed=seed, epochs=EPOCHS)
        times.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    return np.array(times).T


def products_s(n):
    """Seconds of one core for the multiplications of one split, at the rate of a large matrix product."""
    sizes = (len(NAMES), *mlp.WIDTHS, 1)
    weights = np.array(sizes[:-1]) * sizes[1:]
    # Forward pass, and backward pass to the weights and to the layer below, which the first layer does not have.
    operations = 2 * n * EPOCHS * (3 * weights.sum() - weights[0])
    print(f"{operations / 1e9:.1f} GFLOP a split")
    return operations / products.rate()


def scores(study, X, train_test, fitted):
    """Our scores by split, computed like those of the study."""
    table = study.features[["recording", "person", "positive"]]
    columns = {"protocol": "published", "model": MLP.name, "tested_on": study.name, "role": "test"}
    rows = [
        table.iloc[test].assign(probability=one.predict(X[test]).astype(float), split=split, **columns)
        for split, ((_, test), one) in enumerate(zip(train_test, fitted, strict=True))
    ]
    return scoring.per_split(pd.concat(rows), study.thresholds).set_index("split")


def compare(new, stored):
    """Print the spread of the scores over the shared splits, and tests of the differences."""
    shared = new.index.intersection(stored.index)
    print(f"test scores on the {len(shared)} splits that are stored: mean (standard deviation)")
    for name in SCORES:
        a, b = new.loc[shared, name], stored.loc[shared, name]
        print(
            f"  {name:12} ours {a.mean():.4f} ({a.std():.4f})   Keras {b.mean():.4f} ({b.std():.4f})"
            f"   p: Kolmogorov-Smirnov {stats.ks_2samp(a, b).pvalue:.2f}, paired t {stats.ttest_rel(a, b).pvalue:.2f},"
            f" equal variances (Levene) {stats.levene(a, b).pvalue:.2f}"
        )


def main():
    study = store.StoredStudy(store.MODELS / "kaggle-trial")
    X = study.features[list(NAMES)].to_numpy()
    labels = study.features["positive"].to_numpy(int)
    train_test = splits.published(labels, n_splits=SPLITS, seed=0)
    trains, seeds = [train for train, _ in train_test], range(1, SPLITS + 1)
    fitted, clock, cpu = ours(X, labels, trains, seeds)
    print(f"ours: {clock:.3f} s a split on {resources.cores()} cores, {cpu:.3f} s of one core")
    keras_clock, keras_cpu = keras(X, labels, trains[:FITS], seeds[:FITS])
    print(
        f"Keras, {len(keras_clock)} fits: {', '.join(f'{seconds:.2f}' for seconds in keras_clock)} s,"
        f" {keras_cpu.mean():.2f} s of one core"
    )
    floor = products_s(len(trains[0])) / resources.cores()
    what = f"MLP on {SPLITS} random splits"
    against = f"one Keras fit after another, {FITS} of them"
    show(Row(what, clock, float(np.median(keras_clock)), "s a split", GOAL, floor, against=against))
    stored = study.metrics.query("model == @MLP.name and protocol == 'published' and role == 'test'")
    compare(scores(study, X, train_test, fitted), stored.set_index("split"))


if __name__ == "__main__":
    main()
