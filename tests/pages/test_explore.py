"""The page "Explore the data", run by Streamlit without a browser."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from coughlab.audio import synthetic
from coughlab.serving import predictors
from tests.conftest import ROOT
from tests.recordings import kaggle_trial_tree

SECTIONS = ("dataset", "feature", "features", "projection", "recording")


@pytest.fixture(scope="module")
def study():
    return predictors.default().study


@pytest.fixture
def page(monkeypatch):
    monkeypatch.delenv("COUGHLAB_DATA", raising=False)
    return AppTest.from_file(str(ROOT / "pages/explore.py"), default_timeout=60)


def opened(page, section, **state):
    for key, value in {"section": section, **state}.items():
        page.session_state[key] = value
    page.run()
    assert not page.exception
    return page


def figures(page):
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def texts(page):
    return " ".join(
        element.value for kind in ("markdown", "info", "warning", "error") for element in page.get(kind)
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_without_the_recordings(page, section):
    opened(page, section)
    assert page.title[0].value == "Explore the data"
    assert bool(figures(page)) == (section != "recording")


def test_the_numbers_are_the_tables(page, study):
    opened(page, "dataset")
    table = study.features
    assert [metric.value for metric in page.metric] == [
        str(len(table)),
        str((table["label"] == "not_covid").sum()),
        str((table["label"] == "covid").sum()),
    ]
    facts = page.dataframe[1].value
    sources = facts[facts["fact"] == "source"].set_index("value")
    assert sources["COVID"].to_dict() == {
        source: ((table["source"] == source) & (table["label"] == "covid")).sum()
        for source in table["source"].unique()
    }


def test_that_the_label_follows_the_source_is_computed(page, study, monkeypatch):
    assert "The label follows the source and the sample rate" in texts(opened(page, "dataset"))
    # One recording with COVID in the source of the others: now only the sample rate predicts the label.
    mixed = study.features.copy()
    mixed.loc[mixed.index[mixed["label"] == "covid"][0], "source"] = "audioset"
    monkeypatch.setitem(study.__dict__, "features", mixed)
    assert "The label follows the sample rate." in texts(opened(page, "dataset"))
    monkeypatch.setitem(study.__dict__, "features", mixed.assign(sample_rate=16_000))
    assert "The label follows" not in texts(opened(page, "dataset"))


def test_the_chosen_feature_is_drawn(page, study):
    opened(page, "feature", feature="mfcc3")
    (figure,) = figures(page)
    assert figure["layout"]["xaxis"]["title"]["text"] == "MFCC 3"
    summary = page.dataframe[0].value.set_index("label")
    values = study.features.loc[study.features["label"] == "covid", "mfcc3"]
    assert summary.loc["COVID", "50%"] == pytest.approx(values.median())


def test_the_chosen_features_are_the_axes(page):
    opened(page, "features", x="rms", y="mfcc20")
    (figure,) = figures(page)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Loudness (RMS)"
    assert figure["layout"]["yaxis"]["title"]["text"] == "MFCC 20"


def test_projections_can_be_coloured_by_source(page, study):
    opened(page, "projection", colour="source")
    (figure,) = figures(page)
    assert len(figure["data"]) == study.features["source"].nunique()
    assert "of the variance" in figure["layout"]["xaxis"]["title"]["text"]
    opened(page, "projection", projection="t-sne")
    (figure,) = figures(page)
    assert figure["layout"]["xaxis"]["title"]["text"] == "t-SNE 1"


def test_a_recording_without_the_folder_has_its_facts_and_the_setting_to_change(page, study):
    row = study.features.iloc[-1]
    opened(page, "recording", recording=row["recording"])
    assert f"{row['sample_rate']:,} Hz" in texts(page)
    assert "COUGHLAB_DATA" in texts(page)
    assert not figures(page)


def test_a_recording_with_the_folder_is_played_and_drawn(page, study, tmp_path, monkeypatch):
    table = study.features
    names = dict.fromkeys(table["recording"], synthetic.recording(rate=16_000))
    lines = (f'"{name}",{label}' for name, label in zip(table["recording"], table["label"], strict=True))
    kaggle_trial_tree(tmp_path / "kaggle-trial", names, listed="\n".join(["file_properties,class", *lines]))
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    opened(page, "recording", recording=table["recording"].iloc[5])
    assert len(page.get("audio")) == 1
    assert [len(figure["data"]) for figure in figures(page)] == [2, 2]
    opened(page, "projection")
    assert len(figures(page)) == 3


@pytest.mark.parametrize(
    "content", ["", "file_properties,class\nother.wav,covid\n"], ids=["empty", "another list"]
)
def test_a_folder_with_another_dataset_gives_a_message(page, study, tmp_path, monkeypatch, content):
    kaggle_trial_tree(tmp_path / "kaggle-trial", {"other.wav": np.zeros(1600)}, listed=content)
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    opened(page, "recording", recording=study.features["recording"].iloc[-1])
    assert len(page.error) == 1
    assert not figures(page)


def test_a_recording_that_cannot_be_read_gives_a_message(page, study, tmp_path, monkeypatch):
    table = study.features
    names = dict.fromkeys(table["recording"], np.zeros(1600))
    lines = (f'"{name}",{label}' for name, label in zip(table["recording"], table["label"], strict=True))
    kaggle_trial_tree(tmp_path / "kaggle-trial", names, listed="\n".join(["file_properties,class", *lines]))
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    opened(page, "recording", recording=table["recording"].iloc[0])
    assert "silent" in page.error[0].value.lower()


def test_the_real_recordings_are_those_of_the_study(page, study, kaggle_trial, monkeypatch):
    monkeypatch.setenv("COUGHLAB_DATA", str(kaggle_trial.parent))
    row = study.features.iloc[-1]
    opened(page, "recording", recording=row["recording"])
    waveform, _ = figures(page)
    assert waveform["layout"]["xaxis"]["range"][1] == pytest.approx(row["duration_s"])
