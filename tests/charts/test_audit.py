"""The chart of the shortcuts."""

from coughlab.charts import audit as charts

PROBES = [
    {"title": "Quietest moments alone", "auc": 0.5, "interval": [0.31, 0.69]},
    {"title": "File facts alone", "auc": 1.0, "interval": [0.7, 1.0]},
    {"title": "Source alone", "auc": 0.8, "interval": [0.69, 0.9]},
]


def test_each_shortcut_is_drawn_at_its_auc_with_its_interval_strongest_first():
    chart = charts.shortcuts(PROBES, severe=0.7, warning=0.55)
    assert list(chart.layout.yaxis.ticktext) == [
        "File facts alone",
        "Source alone",
        "Quietest moments<br>alone",
    ]
    drawn = {trace.name: trace for trace in chart.data if trace.name}
    assert {name: (trace.y[0], trace.text[0]) for name, trace in drawn.items()} == {
        "severe": (0, "1.00 (0.70 to 1.00)"),
        "warning": (1, "0.80 (0.69 to 0.90)"),
        "no finding": (2, "0.50 (0.31 to 0.69)"),
    }
    trace = drawn["warning"]
    low, high = trace.x[0] - trace.error_x.arrayminus[0], trace.x[0] + trace.error_x.array[0]
    assert abs(low - 0.69) < 1e-9 and abs(high - 0.9) < 1e-9
    assert len({trace.marker.symbol for trace in drawn.values()}) == 3


def test_chance_the_severe_range_and_all_intervals_are_visible():
    chart = charts.shortcuts(PROBES, severe=0.7, warning=0.55)
    severe, chance = chart.layout.shapes
    assert (severe.x0, severe.x1, chance.x0) == (0.7, 1, 0.5)
    assert chart.layout.xaxis.range[0] < 0.31 and chart.layout.xaxis.range[1] > 1
    words = dict(zip(chart.layout.xaxis.tickvals, chart.layout.xaxis.ticktext, strict=True))
    assert "no better" in words[0.5] and "perfectly" in words[1]
