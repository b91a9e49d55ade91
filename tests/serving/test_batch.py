"""Many recordings: one answer each, and the summaries of the answers."""

import io
import json

import pandas as pd
import pytest

from coughlab import audio, detector
from coughlab.serving import batch, predictors
from coughlab.studies.store import StoreError
from coughlab.text import to_csv
from tests import sounds
from tests.batches import coughs, failed, no_cough
from tests.tasks import COVID

MIXED = [
    coughs("a.wav"),
    coughs("b.wav", says=("covid", "covid"), quality=["quiet"]),
    no_cough("c.wav"),
    failed("d.wav"),
    coughs("e.wav", says=("covid", "not_covid")),
]


@pytest.fixture(scope="module")
def predictor():
    return predictors.default()


def test_an_answer_is_the_api_s_with_the_file_s_name_first(predictor, tmp_path):
    data = sounds.FORMATS["wav 16-bit"]()
    (tmp_path / "cough.wav").write_bytes(data)
    expected = {"file": "mine"} | predictor.predict(audio.load(data), prevalence=0.2).to_dict()
    for source in data, tmp_path / "cough.wav", str(tmp_path / "cough.wav"):
        found = batch.answer("mine", source, predictor, prevalence=0.2)
        assert found == expected and next(iter(found)) == "file"


def test_a_forced_answer_has_a_label_for_any_sound(predictor, monkeypatch):
    forced = []
    monkeypatch.setattr(
        predictor, "predict", lambda recording, **options: forced.append(options["force"]) or 1 / 0
    )
    for force in False, True:
        batch.answer("a.wav", sounds.FORMATS["wav 16-bit"](), predictor, force=force)
    assert forced == [False, True]


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"Dear Sir", "not_audio"), (b"RIFF....WAVE", "damaged")]
)
def test_a_bad_file_is_an_answer_with_a_sentence(predictor, data, code):
    found = batch.answer("bad.wav", data, predictor)
    assert found == {"file": "bad.wav", "error": {"code": code, "message": audio.MESSAGES[code]}}


class Breaks:
    """A predictor that fails unexpectedly, or because its study is missing."""

    def __init__(self, error):
        self.error = error

    def predict(self, recording, **options):
        raise self.error


def test_an_unexpected_error_is_a_sentence_and_in_the_log(caplog):
    found = batch.answer("a.wav", sounds.FORMATS["wav 16-bit"](), Breaks(ZeroDivisionError("secret")))
    assert found["error"]["code"] == batch.INTERNAL
    assert "secret" not in found["error"]["message"] and found["error"]["message"].endswith(".")
    assert "ZeroDivisionError: secret" in caplog.text


def test_without_models_nothing_is_answered():
    with pytest.raises(StoreError, match="gone"):
        batch.answer("a.wav", sounds.FORMATS["wav 16-bit"](), Breaks(StoreError("gone")))


def test_counts_and_their_sentence():
    count = batch.counts(iter(MIXED), COVID)
    assert count == {
        "all": 5,
        "coughs": 3,
        "none": 1,
        "errors": 1,
        "look": 3,
        "covid": 2,
        "not_covid": 1,
    }
    assert batch.summary(count) == (
        "5 files: coughs in 3, no cough in 1, 1 could not be read. 3 need a look."
    )
    assert batch.summary(batch.counts([no_cough("a.wav")], COVID)) == "1 file: coughs in none, no cough in 1."


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (coughs("a"), []),
        (no_cough("a"), []),
        (failed("a"), ["This is not a sound file."]),
        (no_cough("a", quality=["noisy"]), ["It is noisy."]),
        (no_cough("a", probability=0.5), ["Something in it may be a cough after all."]),
        (coughs("a", certainty=(0.99, 0.6)), ["1 of the coughs found may be something else."]),
        (
            coughs("a", says=("covid", "not_covid")),
            ["The models disagree: not COVID say cnn; COVID say mlp."],
        ),
    ],
)
def test_why_to_listen(answer, reasons):
    assert batch.doubts(answer, COVID) == reasons


def test_uncertain_answers_are_on_both_sides_of_the_threshold():
    assert batch.SURE_NONE < detector.default().threshold < batch.SURE_COUGH


def test_the_table_has_a_row_a_file_and_empty_cells_where_there_is_nothing_to_say():
    table = batch.table(iter(MIXED), COVID, ["mlp", "knn"])
    assert table["file"].tolist() == ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"]
    assert table["status"].tolist() == ["ok", "ok", "ok", "error", "ok"]
    assert table["coughs"].tolist()[:3] == [2, 2, 0] and pd.isna(table["coughs"][3])
    assert table["events"][0] == "0.00-0.25; 0.50-0.75"
    assert table["label"].tolist()[:2] == ["not_covid", "covid"]
    assert table.loc[2, ["label", "probability", "verdict", "mlp_label"]].isna().all()
    assert table.loc[2, ["heard_code", "heard"]].tolist() == ["voice", "It sounds like speech."]
    assert table.loc[3, ["error_code", "error"]].tolist() == ["not_audio", "This is not a sound file."]
    assert (table["quality_codes"][1], table["quality"][1]) == ("quiet", "It is quiet.")
    assert table.loc[1, ["cnn_label", "cnn_probability", "cnn_coughs_covid"]].tolist() == ["covid", 0.75, 2]
    # A model without any answer here also has its columns, so that all tables have the same columns.
    assert "knn_label" in table and table["knn_label"].isna().all()
    first = to_csv(table).splitlines()[1]
    assert ",2," in first and ",2.0," not in first


def test_the_table_of_nothing_but_errors_has_the_same_columns():
    names = ["mlp", "cnn"]
    assert list(batch.table([failed("a")], COVID, names)) == list(batch.table(MIXED, COVID, names))


def test_a_name_with_invalid_text_and_a_formula_are_harmless_in_a_csv():
    names = ["bad\udcff.wav", "=cmd()", "a\nb.wav"]
    text = to_csv(batch.table([failed(name) for name in names], COVID))
    read = pd.read_csv(io.StringIO(text), lineterminator=None)
    assert read["file"].tolist() == ["bad?.wav", "'=cmd()", "a\nb.wav"]


def test_json_is_the_answers_themselves():
    assert json.loads(batch.to_json(iter(MIXED))) == MIXED
