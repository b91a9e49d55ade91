"""The chart of the features, checked by the data it contains."""

import numpy as np
import pandas as pd
import pytest

from coughlab.charts import COLOURS
from coughlab.charts import features as chart
from coughlab.features import acoustic
from tests.tables import with_positive
from tests.tasks import COVID

TITLES = dict(zip(COVID.labels, ("not COVID", "COVID"), strict=True))


def trained(n=200, seed=0):
    """A feature table: COVID rows are 1 above the others; each feature has its own scale."""
    rng = np.random.default_rng(seed)
    label = np.where(np.arange(n) % 4 == 0, "covid", "not_covid")
    scale = 10.0 ** (np.arange(26) % 5)
    values = scale * (np.arange(26) + rng.standard_normal((n, 26)) + (label == "covid")[:, None])
    table = pd.DataFrame(values, columns=list(acoustic.NAMES)).assign(label=label, recording="r.wav")
    return with_positive(table)


TRAINED = trained()
MEASURED = TRAINED[list(acoustic.NAMES)].to_numpy()
MEAN, SPREAD = MEASURED.mean(axis=0), MEASURED.std(axis=0)


def diamonds(figure):
    (trace,) = [trace for trace in figure.data if trace.name == "this recording"]
    return np.asarray(trace.x, dtype=float), list(trace.marker.symbol), trace


def test_the_table_has_a_row_a_feature_with_the_percentiles_of_each_class():
    values = MEAN + SPREAD
    table = chart.table(values, TRAINED, COVID)
    assert list(table["feature"]) == list(chart.TITLES)
    assert len(set(chart.TITLES)) == 26
    np.testing.assert_allclose(table["this recording"], values)
    for label, title in TITLES.items():
        for k, name in enumerate(acoustic.NAMES):
            column = sorted(TRAINED.loc[TRAINED["label"] == label, name])
            inside = [
                v
                for v in column
                if table[f"{title}, 5th percentile"][k] <= v <= table[f"{title}, 95th percentile"][k]
            ]
            assert len(inside) / len(column) == pytest.approx(0.9, abs=0.03)
            assert (
                column[0]
                < table[f"{title}, 5th percentile"][k]
                < table[f"{title}, 95th percentile"][k]
                < column[-1]
            )


def test_diamonds_lie_in_standard_deviations_from_the_mean():
    z = np.linspace(-4.9, 4.9, 26)
    x, symbols, trace = diamonds(chart.figure(MEAN + z * SPREAD, TRAINED, COVID))
    np.testing.assert_allclose(x, z, atol=1e-6)
    assert symbols == ["diamond"] * 26
    assert list(trace.y) == list(range(26))


def test_values_beyond_the_edge_are_arrows_at_the_edge():
    z = np.zeros(26)
    z[3], z[7], z[8] = 12.0, -60.0, 4.99
    figure = chart.figure(MEAN + z * SPREAD, TRAINED, COVID)
    x, symbols, _ = diamonds(figure)
    assert (x[3], symbols[3]) == (chart.EDGE, "triangle-right")
    assert (x[7], symbols[7]) == (-chart.EDGE, "triangle-left")
    assert symbols[8] == "diamond" and symbols.count("diamond") == 24
    low, high = figure.layout.xaxis.range
    assert low < -chart.EDGE and high > chart.EDGE


def test_exact_values_are_kept_beyond_the_drawn_range():
    values = MEAN + 100 * SPREAD
    *_, trace = diamonds(chart.figure(values, TRAINED, COVID))
    assert [title for title, _ in trace.customdata] == list(chart.TITLES)
    assert [float(value) for _, value in trace.customdata] == pytest.approx(values, rel=1e-3)


def test_bars_are_the_middle_of_each_class_in_the_same_units():
    figure = chart.figure(MEAN, TRAINED, COVID)
    table = chart.table(MEAN, TRAINED, COVID)
    for label, title in TITLES.items():
        (bar,) = [
            trace for trace in figure.data if trace.type == "bar" and trace.name.startswith(f"{title}:")
        ]
        base, length = np.asarray(bar.base, dtype=float), np.asarray(bar.x, dtype=float)
        np.testing.assert_allclose(MEAN + base * SPREAD, table[f"{title}, 5th percentile"], rtol=1e-6)
        np.testing.assert_allclose(
            MEAN + (base + length) * SPREAD, table[f"{title}, 95th percentile"], rtol=1e-6
        )
        assert bar.marker.color == COLOURS["positive" if label == "covid" else "negative"]


def test_classes_are_distinguishable_without_colour():
    bars = [trace for trace in chart.figure(MEAN, TRAINED, COVID).data if trace.type == "bar"]
    assert len({bar.marker.pattern.shape for bar in bars}) == 2
    assert len({tuple(np.sign(np.asarray(bar.y, dtype=float) - np.arange(26))) for bar in bars}) == 2


def test_features_are_listed_from_the_top():
    axis = chart.figure(MEAN, TRAINED, COVID).layout.yaxis
    assert list(axis.ticktext) == list(chart.TITLES)
    assert list(axis.tickvals) == list(range(26))
    assert axis.autorange == "reversed"


def test_a_feature_that_never_varies_is_drawn_in_its_own_units():
    constant = TRAINED.assign(rms=2.0)
    k = acoustic.NAMES.index("rms")
    values = constant[list(acoustic.NAMES)].mean().to_numpy(copy=True)
    x, symbols, _ = diamonds(chart.figure(values, constant, COVID))
    assert (x[k], symbols[k]) == (0, "diamond")
    values[k] += 1
    x, *_ = diamonds(chart.figure(values, constant, COVID))
    assert x[k] == 1
