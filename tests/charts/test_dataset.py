"""The charts of a dataset, checked by the data they contain."""

import librosa
import numpy as np
import pandas as pd
import pytest

from coughlab.charts import COLOURS
from coughlab.charts import dataset as charts
from coughlab.evaluation import description
from coughlab.features import spectrum
from coughlab.serving import predictors
from tests.recordings import coughs
from tests.tasks import COVID

NUMBERS = {"not_covid": "not COVID", "covid": "COVID"}


@pytest.fixture(scope="module")
def table():
    return predictors.default().study.features


def test_bars_are_the_counts_zeros_included(table):
    counts = description.counts(table, "sample_rate")
    bars = {bar.name: bar for bar in charts.bars(counts, COVID).data}
    for label, title in NUMBERS.items():
        drawn = dict(zip(bars[title].y, bars[title].x, strict=True))
        assert drawn == {
            f"{rate:,}": ((table["sample_rate"] == rate) & (table["label"] == label)).sum()
            for rate in table["sample_rate"].unique()
        }
        assert list(bars[title].text) == list(bars[title].x)
    assert charts.bars(counts, COVID).layout.yaxis.title.text == "Sample rate"


def test_every_row_is_a_point_of_its_lane(table):
    figure = charts.distribution(table, "rolloff", "Roll-off", COVID)
    assert figure.layout.xaxis.title.text == "Roll-off"
    assert [box.name for box in figure.data] == list(NUMBERS.values())
    for box, label in zip(figure.data, NUMBERS, strict=True):
        rows = table[table["label"] == label]
        np.testing.assert_array_equal(box.x, rows["rolloff"])
        np.testing.assert_array_equal(box.customdata, rows[["recording", "person"]])
        assert box.boxpoints == "all"


def groups(figure):
    """Traces of the groups by name; the name is without the number of rows."""
    return {trace.name.partition(" (")[0]: trace for trace in figure.data if trace.hoverinfo != "skip"}


@pytest.mark.parametrize("by", ["label", "source"])
def test_every_row_is_a_point_of_its_group(table, by):
    figure = charts.scatter(
        table, table["rms"], table["mfcc1"], titles=("Across", "Upwards"), task=COVID, by=by
    )
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Across", "Upwards")
    drawn = groups(figure)
    assert set(drawn) == {NUMBERS.get(group, group) for group in table[by]}
    for group, rows in table.groupby(by):
        trace = drawn[NUMBERS.get(group, group)]
        np.testing.assert_array_equal(trace.x, rows["rms"])
        np.testing.assert_array_equal(trace.y, rows["mfcc1"])
        assert list(trace.customdata[:, 0]) == list(trace.customdata[:, 1]) == list(rows["recording"])
        assert list(trace.customdata[:, 2]) == list(rows["person"])
        assert list(trace.customdata[:, 3]) == list(rows["source"])
        assert list(trace.customdata[:, 4]) == list(rows["label"].map(NUMBERS))
        assert f"({len(rows)} row" in trace.name


@pytest.mark.parametrize("by", ["label", "source"])
def test_groups_are_distinguishable_without_colour(table, by):
    markers = [
        trace.marker
        for trace in groups(
            charts.scatter(table, table["rms"], table["rms"], titles=("", ""), task=COVID, by=by)
        ).values()
    ]
    assert (
        len({marker.symbol for marker in markers})
        == len({marker.color for marker in markers})
        == len(markers)
    )


def test_classes_keep_their_colours(table):
    drawn = groups(charts.scatter(table, table["rms"], table["rms"], titles=("", ""), task=COVID))
    assert [drawn[title].marker.color for title in ("not COVID", "COVID")] == [
        COLOURS["negative"],
        COLOURS["positive"],
    ]


def test_more_groups_than_colours_are_drawn():
    n = 15
    table = pd.DataFrame(
        {name: [f"{name}{k}" for k in range(n)] for name in ("recording", "person", "source")}
    )
    table["label"] = "covid"
    figure = charts.scatter(table, range(n), range(n), titles=("", ""), task=COVID, by="source")
    assert len(figure.data) == n


def test_a_ring_marks_every_row_of_the_chosen_recording(table):
    twice = table["recording"].value_counts().index[0]
    rows = table[table["recording"] == twice]
    assert len(rows) > 1
    ring = charts.scatter(
        table, table["rms"], table["mfcc1"], titles=("", ""), task=COVID, chosen=twice
    ).data[0]
    np.testing.assert_array_equal(ring.x, rows["rms"])
    np.testing.assert_array_equal(ring.y, rows["mfcc1"])
    unknown = charts.scatter(
        table, table["rms"], table["mfcc1"], titles=("", ""), task=COVID, chosen="nobody.wav"
    )
    assert len(unknown.data) == 2


def test_frames_are_librosas_on_the_axis_of_time():
    recording = coughs(duration_s=3.0)
    mfcc, chroma = charts.frames(recording).data
    y = spectrum.waveform(recording)
    np.testing.assert_allclose(mfcc.z, librosa.feature.mfcc(y=y, sr=22_050), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(chroma.z, librosa.feature.chroma_stft(y=y, sr=22_050), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(mfcc.x, librosa.frames_to_time(np.arange(len(mfcc.x)), sr=22_050), atol=1e-5)
    assert list(mfcc.y) == list(range(1, 21))
    assert chroma.y[0] == "C" and chroma.y[9] == "A"


def test_long_recordings_are_drawn_in_columns_of_means():
    recording = coughs(duration_s=60.0)
    mfcc, chroma = charts.frames(recording).data
    assert mfcc.z.shape == (20, 900) and chroma.z.shape == (12, 900)
    y = spectrum.waveform(recording)
    whole = librosa.feature.mfcc(y=y, sr=22_050)
    np.testing.assert_allclose(mfcc.z.mean(axis=1), whole.mean(axis=1), rtol=0.02, atol=0.5)
    assert 0 < mfcc.x[0] < mfcc.x[-1] < 60


def test_a_tone_lies_in_its_pitch_class():
    recording = coughs(duration_s=1.0)
    t = np.arange(recording.rate) / recording.rate
    tone = type(recording)(
        np.sin(2 * np.pi * 440 * t).astype(np.float32), recording.rate, "wav", "float", 1, 32, False
    )
    _, chroma = charts.frames(tone).data
    assert {chroma.y[k] for k in chroma.z.argmax(axis=0)} == {"A"}


def test_names_are_not_markup_and_a_click_returns_them_unchanged(table):
    nasty = "<b>a</b> & <a href='http://example.org'>b</a>"
    shown = "&lt;b&gt;a&lt;/b&gt; &amp; &lt;a href='http://example.org'&gt;b&lt;/a&gt;"
    table = table.assign(recording=nasty, person=nasty, source=nasty)
    (points,) = charts.scatter(
        table, [0] * len(table), [0] * len(table), titles=("x", "y"), task=COVID, by="source"
    ).data
    assert points.name.startswith(shown)
    assert list(points.customdata[0][:4]) == [nasty, shown, shown, shown]
    for box in charts.distribution(table, "duration_s", "Duration", COVID).data:
        assert list(box.customdata[0]) == [shown, shown]
    counts = description.counts(table, "source")
    assert list(charts.bars(counts, COVID).data[0].y) == [shown]
