"""Chart of a recording: waveform with the coughs marked, and spectrogram, on one time axis."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sequential
from plotly.subplots import make_subplots

from coughlab.audio import Recording
from coughlab.charts import COLOURS, MARGIN
from coughlab.features import spectrum

N_MELS = 128
#: Most columns that are drawn: more than a screen shows only costs time.
COLUMNS = 900
#: Range of the spectrogram below its loudest point, in dB.
RANGE_DB = 80.0
#: On a small screen, numbers of coughs closer than this share of the width would overlap; only the first is drawn.
APART = 0.07
TICKS_HZ = (0, 250, 500, 1000, 2000, 4000, 8000)
#: Streamlit replaces Magma's first colour, #000004, by a colour of its theme.
MAGMA = ["#01010a", *sequential.Magma[1:]]


def columns(n: int) -> np.ndarray:
    """Where each of at most `COLUMNS` columns of `n` values begins."""
    return np.unique(np.linspace(0, n, COLUMNS, endpoint=False).astype(int))


def figure(recording: Recording, events: Iterable[Any]) -> go.Figure:
    """Draw a recording's waveform above its spectrogram: seconds, full scale and hertz.

    Each ``coughlab.detector.Event`` of `events` is shaded in both panels, and numbered where there is room.
    """
    chart = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.35, 0.65], vertical_spacing=0.04)
    chart.add_trace(_waveform(recording), row=1, col=1)
    chart.add_trace(_spectrogram(recording), row=2, col=1)
    frame = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": COLOURS["positive"], "width": 1, "dash": "dot"},
        "fillcolor": COLOURS["positive"],
        "opacity": 0.18,
        "layer": "above",
    }
    frames, numbers, numbered = [], [], -np.inf
    for number, event in enumerate(events, start=1):
        frames.append(frame | {"x0": event.start_s, "x1": event.end_s})
        middle = (event.start_s + event.end_s) / 2
        if middle - numbered >= APART * recording.duration:
            numbered = middle
            at = {"x": middle, "y": 1, "yref": "paper", "yanchor": "bottom"}
            numbers.append(at | {"text": str(number), "showarrow": False})
    # All at once: for each one added, Plotly rebuilds all earlier ones.
    chart.update_layout(shapes=frames, annotations=numbers)
    chart.update_xaxes(range=[0, recording.duration], showgrid=False)
    chart.update_xaxes(title="Time in seconds", row=2, col=1)
    chart.update_yaxes(title="Amplitude", zeroline=False, fixedrange=True, row=1, col=1)
    chart.update_yaxes(
        title="Frequency in hertz",
        tickvals=np.interp(TICKS_HZ, spectrum.mel_frequencies(N_MELS + 2)[1:-1], np.arange(N_MELS)),
        ticktext=[f"{hz:,}" for hz in TICKS_HZ],
        fixedrange=True,
        row=2,
        col=1,
    )
    return chart.update_layout(height=520, margin=MARGIN | {"t": 24}, showlegend=False, dragmode="zoom")


def _waveform(recording):
    """The lowest and the highest sample of every column, as one line."""
    y = recording.samples
    starts = columns(y.size)
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    return go.Scatter(
        x=np.repeat(starts / recording.rate, 2).astype(np.float32),
        y=np.stack([low, high], axis=1).ravel(),
        line={"color": COLOURS["negative"], "width": 1},
        hovertemplate="%{x:.2f} s<extra></extra>",
    )


def _spectrogram(recording):
    db = spectrum.log_mel(spectrum.waveform(recording), n_mels=N_MELS, top_db=RANGE_DB)
    db -= db.max()
    starts = columns(len(db))
    width = len(db) / len(starts)
    middles = width * np.arange(len(starts)) + (width - 1) / 2
    return go.Heatmap(
        x=(middles * spectrum.HOP / spectrum.RATE).astype(np.float32),
        y=np.arange(N_MELS),
        # Whole decibels fit one byte a point.
        z=np.maximum.reduceat(db, starts, axis=0).T.round().astype(np.int8),
        colorscale=MAGMA,
        # One image instead of a hundred thousand rectangles.
        zsmooth="fast",
        colorbar={
            "orientation": "h",
            "thickness": 8,
            "len": 0.5,
            "y": -0.22,
            "yanchor": "top",
            "title": {"text": "dB, the loudest point being 0", "side": "top", "font": {"size": 12}},
        },
        hovertemplate="%{x:.2f} s, %{z} dB<extra></extra>",
    )
