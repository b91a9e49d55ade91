"""The features of one recording against those of the recordings a study was trained on."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coughlab.charts import COLOURS, hatched, laid_out
from coughlab.features import acoustic
from coughlab.task import Task

#: How many standard deviations from the mean are drawn; values further away are drawn at the edge, as an arrow.
EDGE = 5.0
TITLES = (
    "Chroma",
    "Loudness (RMS)",
    "Spectral centroid (Hz)",
    "Spectral bandwidth (Hz)",
    "Spectral roll-off (Hz)",
    "Zero-crossing rate",
    *(f"MFCC {k}" for k in range(1, acoustic.N_MFCC + 1)),
)


def table(values: np.ndarray, trained: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Each of the 26 features of a recording beside the middle 90% of the training recordings of each class."""
    rows = pd.DataFrame({"feature": TITLES, "this recording": np.asarray(values, dtype=float)})
    for positive, title in enumerate(map(task.title, task.labels)):
        measured = trained.loc[trained["positive"] == positive, list(acoustic.NAMES)]
        percentiles = np.percentile(measured, [5, 95], axis=0)
        rows[f"{title}, 5th percentile"], rows[f"{title}, 95th percentile"] = percentiles
    return rows


def figure(values: np.ndarray, trained: pd.DataFrame, task: Task) -> go.Figure:
    """Draw `table`, every feature in its own standard deviations from the training mean: two bars and a diamond each."""
    measured = trained[list(acoustic.NAMES)].to_numpy(dtype=float)
    rows, mean, spread = table(values, trained, task), measured.mean(axis=0), measured.std(axis=0)
    spread[spread == 0] = 1
    chart = go.Figure()
    for offset, kind, title in zip(
        (-0.18, 0.18), ("negative", "positive"), map(task.title, task.labels), strict=True
    ):
        low, high = ((rows[f"{title}, {p}th percentile"] - mean) / spread for p in (5, 95))
        chart.add_bar(
            y=np.arange(len(rows)) + offset,
            x=high - low,
            base=low,
            width=0.3,
            orientation="h",
            name=f"{title}: middle 90% of the training recordings",
            marker=hatched(kind),
            hoverinfo="skip",
        )
    z = (rows["this recording"] - mean) / spread
    chart.add_scatter(
        y=np.arange(len(rows)),
        x=z.clip(-EDGE, EDGE),
        mode="markers",
        name="this recording",
        marker={
            "color": COLOURS["this"],
            "size": 11,
            "line": {"color": "white", "width": 1.5},
            "symbol": np.select([z < -EDGE, z > EDGE], ["triangle-left", "triangle-right"], "diamond"),
        },
        customdata=np.column_stack([rows["feature"], rows["this recording"].map("{:.4g}".format)]),
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    chart.update_yaxes(
        tickvals=np.arange(len(rows)), ticktext=rows["feature"], autorange="reversed", fixedrange=True
    )
    edge = EDGE + 0.3
    chart.update_xaxes(title="SD from the training mean", range=[-edge, edge], fixedrange=True)
    return laid_out(chart, 640, barmode="overlay")
