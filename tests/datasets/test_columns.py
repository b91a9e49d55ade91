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


@pytest.mark.parametrize(
    "decoy",
    [
        "cough_class",
        "mask_status",
        "State",
        "group",
        "y",
        "device_class",
        "Blood_group",
        "covid_hospitalized",
        "covid_excluded",
        "n_labels",
        "label_source",
    ],
)
def test_a_header_that_may_mean_something_else_is_a_guess(decoy):
    for label in ("covid", "status", "covid_result"):
        found = find(file="files", **{decoy: "other two", label: "the same two"})
        assert found.label == label and "guess" not in found.remarks
    # Values that name diseases tell more than such a header.
    found = find(file="files", **{decoy: "other two", "dx": ["asthma", "healthy"] * 6})
    assert found.label == "dx"
    found = find(file="files", **{decoy: "other two"})
    assert (found.label, f"That “{decoy}” has the labels is a guess" in found.remarks) == (decoy, True)


@pytest.mark.parametrize("header", ["insurance_status", "mother_asthma", "comorbid_asthma", "label_quality"])
def test_a_question_about_something_else_is_no_label(header):
    assert not find(file="files", **{header: "two"}).label


def test_names_of_the_same_classes_are_preferred_to_codes():
    names = ["COPD", "asthma"] * 6
    assert find(file="files", label_id="the same two", disease=names).label == "disease"
    assert find(file="files", label="the same two", disease=VALUES["other two"]).label == "label"


def test_a_column_for_each_class_is_one_column():
    classes = ("healthy", "asthma", "covid")
    given = {name: [str(int(k % 3 == place)) for k in range(N)] for place, name in enumerate(classes)}
    table = columns.with_names(pd.DataFrame({"file": NAMES, **given}))
    assert table["healthy / asthma / covid"].tolist() == list(classes) * 4 and len(table.columns) == 2
    given["covid"][0] = "1"  # two diseases
    assert len(columns.with_names(pd.DataFrame({"file": NAMES, **given})).columns) == 4


PEOPLE = [f"P{k // 2}" for k in range(N)]


@pytest.mark.parametrize(
    "header",
    [
        *(
            "PatientID",
            "patientID",
            "SubjectID",
            "ParticipantID",
            "UserID",
            "ID",
            "Id",
            "SUB_ID",
            "StudyID",
            "uid",
            "record_id",
        ),
        *(
            "case_id",
            "MRN",
            "child_id",
            "subj_id",
            "Pat_ID",
            "spk_id",
            "anon_id",
            "respondent",
            "donor",
            "Proband",
        ),
        *(
            "participant_identifier",
            "Patient_Study_ID",
            "study participant id",
            "N° patient",
            "Patienten-ID",
            "paciente",
            "Пациент",
        ),
        *("患者", "sujet"),
    ],
)
def test_a_column_of_people(header):
    assert find(file="files", label="two", **{header: PEOPLE}).person == header


def test_ids_of_recordings_and_shared_properties_are_no_people():
    for header, values in (
        ("uid", [f"u{k}" for k in range(N)]),
        ("session_id", PEOPLE),
        ("patient_age", PEOPLE),
        ("id", VALUES["two"]),
    ):
        assert not find(file="files", label="two", **{header: values}).person


def test_a_column_that_may_name_people_is_named():
    label = ["ill", "ill", "well", "well"] * 3
    assert find(file="files", label=label, owner=PEOPLE).remarks == (
        "Several recordings share the values of the column “owner”, which was not read. If they are people, call it “person”."
    )
    for given in ({"patient": PEOPLE, "owner": PEOPLE}, {"age": PEOPLE}, {"owner": VALUES["three"]}):
        assert not find(file="files", label=label, **given).remarks


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
