"""The numbers of the stored studies stay unchanged to the last bit when the code changes."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from coughlab.studies.store import MODELS

#: For each table the first half of the SHA-256 of its content, without the column ``positive``, which was added later.
CONTENT = {
    "covid19-cough/evidence.parquet": "f2907f7985b2780b78a85c1738ab0ef1",
    "covid19-cough/features.parquet": "bea1fb95f1a37557f5772c710a8a5b65",
    "covid19-cough/fits.parquet": "96eb2ae78aa4a03505c50f05d223238b",
    "covid19-cough/metrics.parquet": "2da403a6ae7c5131b1818db8be24059f",
    "covid19-cough/predictions.parquet": "4d1a5eb1bca59638b49ca508fda1ac83",
    "covid19-cough/scores.parquet": "ef4c8b65251bdc8f15052785ef4134b9",
    "detector/events.parquet": "795317323387a7c5d84b2e9d549f22a2",
    "detector/predictions.parquet": "d8827b043bb1d192b67e8599577b6b03",
    "kaggle-trial/evidence.parquet": "a7184a5e3aec796c0008d90bffb5de71",
    "kaggle-trial/features.parquet": "8c957ce9e93c3dad8b5602603601cc41",
    "kaggle-trial/fits.parquet": "22da97a67f7884871e8daa87e09312b4",
    "kaggle-trial/metrics.parquet": "a0524f6d104731150c0e4e0ea846f69b",
    "kaggle-trial/predictions.parquet": "f2c7b07c3e6ed02bee9430dc739d570c",
    "kaggle-trial/scores.parquet": "f73cabde5b5402b2fada2125489826ff",
    "kaggle-trial/trials.parquet": "a3ef9dc1d5008aea2ff398256d42f51a",
}


def content(table: pd.DataFrame) -> str:
    """A hash of column names and values; it does not depend on the file format version or the widths of numbers."""
    digest = hashlib.sha256()
    for name in table.columns.drop("positive", errors="ignore"):
        column = table[name]
        digest.update(name.encode())
        if column.dtype.kind in "biuf" and not column.isna().all():
            values = column.to_numpy(dtype="<f8", na_value=np.nan)
            digest.update(np.where(np.isnan(values), np.nan, values).tobytes())
        else:
            codes, values = pd.factorize(column, use_na_sentinel=False)
            digest.update("\0".join(map(str, values)).encode() + codes.astype("<i8").tobytes())
    return digest.hexdigest()[:32]


@pytest.mark.parametrize("name", sorted(str(path.relative_to(MODELS)) for path in MODELS.glob("*/*.parquet")))
def test_the_numbers_are_unchanged(name):
    assert content(pd.read_parquet(MODELS / name)) == CONTENT[name]


def test_a_changed_last_bit_is_noticed():
    table = pd.DataFrame({"model": ["mlp"], "value": [0.1]})
    other = table.assign(value=np.nextafter(0.1, 1))
    assert content(table) != content(other)
    assert content(table) == content(table.assign(positive=True))
