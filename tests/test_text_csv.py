"""Tables as CSV: no formula can run, and no data are lost."""

import io

import pandas as pd
import pytest

from coughlab.serving import predictors
from coughlab.text import to_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_never_becomes_a_formula(start):
    text = f"{start}HYPERLINK(1)"
    frame = pd.DataFrame(
        {"name": [text, "cough.wav"], text: ["a", text], "kind": pd.Categorical([text, "b"])}
    )
    read = pd.read_csv(io.StringIO(to_csv(frame), newline=""), dtype=str)
    assert list(read.columns) == ["name", f"'{text}", "kind"]
    assert read["name"].tolist() == [f"'{text}", "cough.wav"]
    assert read[f"'{text}"].tolist() == ["a", f"'{text}"]
    assert read["kind"].tolist() == [f"'{text}", "b"]


def test_numbers_are_written_as_they_are():
    frame = pd.DataFrame({"a": [-1.5, 0.1 + 0.2], "b": [-3, 4], "c": [True, False]}, index=[7, 8])
    assert to_csv(frame) == "a,b,c\r\n-1.5,-3,True\r\n0.30000000000000004,4,False\r\n"


def test_missing_text_stays_empty():
    assert to_csv(pd.DataFrame({"a": ["-x", None], "b": [1.0, None]})) == "a,b\r\n'-x,1.0\r\n,\r\n"


def test_the_frame_itself_stays_as_it_was():
    frame = pd.DataFrame({"a": ["=1"]})
    to_csv(frame)
    assert frame["a"].tolist() == ["=1"]


def test_the_whole_feature_table_comes_back():
    study = predictors.default().study
    read = pd.read_csv(io.StringIO(to_csv(study.features)))
    pd.testing.assert_series_equal(read["mfcc1"].astype("float32"), study.features["mfcc1"])
    assert read["recording"].str.removeprefix("'").tolist() == study.features["recording"].tolist()
