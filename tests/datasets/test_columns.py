"""The columns of a list: chosen by what their headers mean and by what they hold."""

import pandas as pd
import pytest

from coughlab.datasets import columns
from coughlab.datasets.matching import Files

N = 12
NAMES = [f"c{k}.wav" for k in range(N)]
#: Values of a column in each of the lines.
VALUES = {
    "two": ["positive", "negative"] * 6,
    "other two": ["yes", "yes", "no"] * 4,
    "the same two": ["1", "0"] * 6,
    "three": ["a", "b", "c"] * 4,
    "one": ["yes"] * N,
    "empty": [""] * N,
    "dates": [f"2020-05-{1 + k % 3:02}" for k in range(N)],
    "times": [f"{8 + k % 3}:30" for k in range(N)],
    "free": [f"some words {k}" for k in range(N)],
    "parts": ["train", "train", "test"] * 4,
    "files": NAMES,
}


def find(found=tuple(NAMES), **given):
    """The columns of a list: values by header, or the key of some `VALUES`."""
    table = pd.DataFrame(
        {header: VALUES[values] if isinstance(values, str) else values for header, values in given.items()},
        dtype=str,
    )
    return columns.find(table, Files("/data", found))


@pytest.mark.parametrize(
    ("taken", "others"),
    [
        # The label, the result of a test, a disease, a state.
        ("label", {"diagnosis": "other two", "pcr_test_result": "other two"}),
        ("pcr_test_result", {"covid_status": "other two", "status": "other two"}),
        (
            "covid_status",
            {"asthma": "other two", "test_status": "other two", "respiratory_condition": "other two"},
        ),
        ("tb_status", {"condition": "other two", "hiv_status": "other two"}),
        ("pcr_test_result", {"pcr_test_result_inferred": "other two", "predicted_label": "other two"}),
        ("testResult", {"recordingStatus": "other two"}),
        # Words of labels in other headers.
        (
            "result",
            dict.fromkeys(("covid_symptoms", "history_of_covid", "covid_contact", "covid_id"), "other two"),
        ),
        (
            "status",
            dict.fromkeys(
                ("vaccination_status", "smoking_status", "covid_vaccine", "test_type"), "other two"
            ),
        ),
        (
            "outcome",
            dict.fromkeys(
                ("past_covid", "covid_exposure", "test_result_date", "covid_severity"), "other two"
            ),
        ),
        # Columns that cannot be labels by what they hold.
        *[("condition", {"label": values}) for values in ("one", "empty", "dates", "times", "free", "parts")],
    ],
)
def test_the_column_of_labels(taken, others):
    for given in ({taken: "two"} | others, others | {taken: "two"}):
        assert find(file="files", **given).label == taken


@pytest.mark.parametrize(
    "header",
    [
        *(
            "covid_symptoms",
            "vaccination_status",
            "history_of_covid",
            "covid_contact",
            "test_type",
            "covid_id",
            "age",
            "fever",
        ),
        *("smoking_status", "test_date", "ct_value_covid"),
    ],
)
def test_a_header_that_is_not_that_of_labels(header):
    found = find(file="files", **{header: "two"})
    assert (found.label, found.lacking) == ("", "labels")


def test_another_column_that_may_be_the_labels_is_named_if_it_disagrees():
    found = find(file="files", status="other two", diagnosis="two")
    assert found.label == "diagnosis"
    assert found.remarks == (
        "The column “status” may be labels too, and says something else in 4 lines: “diagnosis” was taken."
    )
    for agreeing in ("the same two", "empty", "one"):
        assert not find(file="files", status=agreeing, diagnosis="two").remarks
    # Classes that are divided further.
    assert not find(file="files", status=["a", "b", "a", "c"] * 3, diagnosis="two").remarks


def test_why_a_column_of_a_better_name_was_not_taken():
    found = find(file="files", label="free", status="two")
    assert (
        found.remarks == "The column “label” is not taken for labels: it has 12 different values in 12 lines."
    )
    found = find(file="files", label="dates")
    assert found.lacking == "labels" and "it has dates or times" in found.remarks


@pytest.mark.parametrize("values", ["one", "empty"])
def test_the_only_column_of_labels_is_read_even_if_it_has_one_class(values):
    assert find(file="files", label=values).label == "label"


def test_a_label_that_equals_the_name_of_a_file_is_not_its_name():
    found = [f"{k}.wav" for k in range(N)]
    numbers = [str(k) for k in range(N)]
    for file in ("id", "nr", "file"):
        for given in ({file: numbers, "label": "the same two"}, {"label": "the same two", file: numbers}):
            chosen = find(found, **given)
            assert (chosen.file, chosen.label) == (file, "label")
    chosen = find(["positive.wav", "negative.wav", *NAMES], label="two", what="files")
    assert (chosen.file, chosen.label) == ("what", "label")


def test_the_column_whose_files_are_there():
    original = [name.replace("c", "original") for name in NAMES]
    assert find(filename=original, converted_wav="files", label="two").file == "converted_wav"
    # All are missing.
    assert find(["x.wav"], label="two", filename="files").file == "filename"
