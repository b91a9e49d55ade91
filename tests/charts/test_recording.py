"""The chart of a recording, checked by the data it contains."""

import inspect
import json
import re

import numpy as np
import pytest
from streamlit.elements.lib import streamlit_plotly_theme

from coughlab.charts import recording as chart
from coughlab.detector import Event
from coughlab.features import spectrum
from tests.recordings import coughs, recorded


def drawn(recording, found=()):
    """The figure as the browser gets it."""
    figure = chart.figure(recording, found)
    waveform, heatmap = figure.data
    return figure, waveform, heatmap


@pytest.mark.parametrize(("rate", "seconds"), [(8000, 3.5), (48_000, 3.5), (22_050, 0.1), (44_100, 20.0)])
def test_both_panels_span_the_recording_in_seconds(rate, seconds):
    recording = coughs(rate=rate, duration_s=seconds, onsets_s=(0.0,))
    figure, waveform, heatmap = drawn(recording)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range == (0, recording.duration)
    # One axis: zooming into one panel zooms into both.
    assert figure.layout.xaxis.matches == "x2"
    step = max(seconds / chart.COLUMNS, spectrum.HOP / spectrum.RATE)
    for x in (np.asarray(waveform.x), np.asarray(heatmap.x)):
        assert x[0] == 0
        assert np.all(np.diff(x) >= 0)
        assert seconds - step <= x[-1] + 1e-5 and x[-1] - 1e-5 <= seconds


@pytest.mark.parametrize("onsets", [(), (0.5,), (0.5, 1.4, 2.2), (0.2, 0.8, 1.4, 2.0, 2.6)])
def test_every_event_is_shaded_and_numbered(onsets):
    found = [Event(onset, onset + 0.4, 0.9) for onset in onsets]
    figure, *_ = drawn(coughs(onsets_s=onsets), found)
    shapes, notes = figure.layout.shapes, figure.layout.annotations
    assert [(shape.x0, shape.x1) for shape in shapes] == [(event.start_s, event.end_s) for event in found]
    # Over the whole height of the figure, and so in both panels.
    assert all((shape.yref, shape.y0, shape.y1, shape.xref) == ("paper", 0, 1, "x") for shape in shapes)
    assert [note.text for note in notes] == [str(number) for number in range(1, len(found) + 1)]
    for note, event in zip(notes, found, strict=True):
        assert event.start_s < note.x < event.end_s


def test_numbers_do_not_overlap():
    found = [Event(second + 0.1, second + 0.5, 0.9) for second in range(60)]
    figure, *_ = drawn(coughs(duration_s=60.0), found)
    assert len(figure.layout.shapes) == 60
    notes = figure.layout.annotations
    numbers = [int(note.text) for note in notes]
    assert numbers[0] == 1 and 10 <= len(numbers) <= 1 / chart.APART + 1
    assert [note.x for note in notes] == pytest.approx([number - 0.7 for number in numbers])
    assert np.diff([note.x for note in notes]).min() >= chart.APART * 60


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_the_envelope_keeps_the_extremes(rate):
    recording = coughs(rate=rate)
    y = recording.samples.copy()
    y[12_345], y[23_456] = 0.987, -0.876  # single samples that simple thinning would lose
    _, waveform, _ = drawn(recorded(y, rate))
    x, line = np.asarray(waveform.x), np.asarray(waveform.y)
    assert line.max() == np.float32(0.987) and line.min() == np.float32(-0.876)
    column = recording.duration / chart.COLUMNS
    assert x[np.argmax(line)] == pytest.approx(12_345 / rate, abs=column)
    assert x[np.argmin(line)] == pytest.approx(23_456 / rate, abs=column)


def test_every_column_of_the_envelope_spans_its_samples():
    recording = coughs(duration_s=9.0, rate=8000)
    _, waveform, _ = drawn(recording)
    x, line = np.asarray(waveform.x, dtype=float), np.asarray(waveform.y).reshape(-1, 2)
    starts = np.round(x[::2] * 8000).astype(int)
    assert len(starts) == chart.COLUMNS
    for start, end, (low, high) in zip(starts, [*starts[1:], recording.samples.size], line, strict=True):
        column = recording.samples[start:end]
        assert (low, high) == (column.min(), column.max())


def test_a_recording_with_fewer_samples_than_columns_is_drawn_whole():
    recording = recorded(np.sin(np.arange(800) / 10), 8000)
    _, waveform, _ = drawn(recording)
    assert np.array_equal(np.asarray(waveform.y)[::2], recording.samples)


def test_the_spectrogram_is_the_loudest_of_each_column_in_decibels():
    recording = coughs(duration_s=3.0)
    _, _, heatmap = drawn(recording)
    z = np.asarray(heatmap.z)
    expected = spectrum.log_mel(spectrum.waveform(recording), n_mels=128, top_db=80.0)
    assert z.shape == expected.T.shape
    np.testing.assert_allclose(z, expected.T - expected.max(), atol=0.5)
    assert z.max() == 0 and z.min() >= -80


def test_a_long_spectrogram_keeps_short_bursts():
    recording = coughs(onsets_s=(30.0,), duration_s=60.0, rate=8000)
    _, _, heatmap = drawn(recording)
    z = np.asarray(heatmap.z)
    assert z.max() == 0
    assert heatmap.x[np.argmax(z.max(axis=0))] == pytest.approx(30.0, abs=0.2)


@pytest.mark.parametrize("hz", [250, 1000, 4000])
def test_a_tone_is_drawn_at_its_frequency(hz):
    t = np.arange(48_000) / 48_000
    figure, _, heatmap = drawn(recorded(0.5 * np.sin(2 * np.pi * hz * t)))
    ticks = dict(zip(figure.layout.yaxis2.ticktext, figure.layout.yaxis2.tickvals, strict=True))
    z = np.asarray(heatmap.z)
    loudest = np.asarray(heatmap.y)[np.argmax(z[:, z.shape[1] // 2])]
    assert loudest == pytest.approx(ticks[f"{hz:,}"], abs=1)


def test_axes_say_what_they_show():
    layout = drawn(coughs())[0].layout
    assert layout.xaxis2.title.text == "Time in seconds"
    assert layout.yaxis.title.text == "Amplitude"
    assert layout.yaxis2.title.text == "Frequency in hertz"


def test_the_figure_of_a_minute_at_48_khz_has_a_limited_size():
    found = [Event(second + 0.1, second + 0.5, 0.9) for second in range(60)]
    figure, waveform, heatmap = drawn(coughs(duration_s=60.0), found)
    assert len(waveform.x) == len(waveform.y) == 2 * chart.COLUMNS
    assert np.shape(heatmap.z) == (128, chart.COLUMNS)
    # One byte per point of the spectrogram, four per number of the line, in base 64, and the layout.
    assert len(figure.to_json()) < 250_000
    json.loads(figure.to_json())


def test_digital_silence_is_drawn():
    figure, waveform, heatmap = drawn(recorded(np.zeros(48_000)))
    assert len(figure.layout.shapes) == 0
    assert not np.any(waveform.y)
    assert np.all(np.asarray(heatmap.z) == 0)


def test_no_colour_is_one_that_streamlit_replaces_by_the_theme_s():
    figure, *_ = drawn(coughs(), [Event(0.5, 0.9, 0.9)])
    figure.update_layout(template=None)  # Streamlit's own, where they belong
    placeholders = {
        colour.lower() for colour in re.findall(r"#0000\d\d", inspect.getsource(streamlit_plotly_theme))
    }
    assert placeholders
    assert not {colour for colour in placeholders if f'"{colour}"' in figure.to_json().lower()}
