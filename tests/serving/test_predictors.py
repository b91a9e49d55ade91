"""Predictions: without TensorFlow, equal to those of Keras, and equal in every thread."""

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.classifiers import neural
from coughlab.classifiers.runtime import LiteRT
from coughlab.detector import Event
from coughlab.evidence.verdict import known
from coughlab.features import spectrum
from coughlab.features.acoustic import NAMES
from coughlab.features.inputs import INPUTS, measure
from coughlab.serving import predictors
from coughlab.studies.store import MODELS, StoredStudy, StoreError
from tests.recordings import coughs, heard, recorded
from tests.stored_studies import with_large


def recordings():
    for seconds in (0.3, 2.0, 9.0):
        y = synthetic.recording(onsets_s=np.arange(0.1, seconds, 0.8), duration_s=seconds, seed=int(seconds))
        buffer = io.BytesIO()
        soundfile.write(buffer, y, synthetic.RATE, format="WAV")
        yield audio.load(buffer.getvalue())


def test_a_fresh_process_answers_without_tensorflow():
    program = """
import sys
from coughlab import audio
from coughlab.audio import synthetic
from coughlab.serving import predictors
predictor = predictors.default()
prediction = predictor.predict(audio.load(synthetic.sample()), also=predictor.slow)
assert set(prediction.models) == {"mlp", "cnn", "knn", *predictor.slow}
heavy = {"tensorflow", "keras", "librosa", "streamlit"} & set(sys.modules)
print(sorted(heavy))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_litert_and_keras_agree_on_the_committed_study(name, tmp_path):
    study = StoredStudy(MODELS / "kaggle-trial")
    path = tmp_path / f"{name}.keras"
    path.write_bytes(study.read(path.name))
    model = neural.keras().models.load_model(path)
    served = LiteRT(study.read(f"{name}.tflite"))
    kind = study.models[name]["input"]
    inputs = [INPUTS[kind](recording) for recording in recordings()]
    if kind == "features":
        inputs += list(study.features[list(NAMES)].to_numpy(dtype=np.float32))
    for x in inputs:
        assert served(x) == pytest.approx(float(model(x[None], training=False)[0, 0]), abs=1e-5)


def test_the_committed_mlp_has_the_parameters_of_the_case_study():
    assert StoredStudy(MODELS / "kaggle-trial").models["mlp"]["parameters"] == 186_369


def test_nothing_that_is_loaded_is_a_pickle():
    for path in (MODELS / "kaggle-trial").iterdir():
        assert path.suffix not in (".pkl", ".pickle", ".joblib")
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                assert all(file[name].dtype.kind in "iuf" for name in file.files)


def test_threads_get_the_answer_each_would_get_alone():
    predictor = predictors.Predictor()
    several = list(recordings()) * 8
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predictor.predict, several))
    alone = [predictors.Predictor().predict(recording) for recording in several[:3]] * 8
    assert [p.to_dict() for p in together] == [p.to_dict() for p in alone]


def test_the_top_label_is_the_mlp_s():
    answer = predictors.default().predict(audio.load(synthetic.sample())).to_dict()
    mlp = answer["models"]["mlp"]
    assert (answer["model"], answer["label"], answer["probability"]) == (
        "mlp",
        mlp["label"],
        mlp["probability"],
    )


def test_far_from_the_training_data_there_is_no_basis_to_answer():
    t = np.arange(3 * 48_000) / 48_000
    tone = recorded(0.3 * np.sin(2 * np.pi * 4000 * t))
    prediction = predictors.default().predict(tone, cough=heard((0.5, 0.9)))
    assert prediction.novelty.code == "far" and prediction.novelty.p < 0.02
    for block in prediction.evidence.values():
        assert block["verdict"] == "no_basis" and block["likelihood_ratio"] is None
    assert predictors.default().predict(sample()).novelty.code != "far"


def test_a_study_without_evidence_says_that_its_models_are_untested():
    study = StoredStudy(MODELS / "kaggle-trial")
    study.evidence = study.evidence.iloc[:0]
    predictor = predictors.Predictor(study)
    predictor.known = {name: known(study, name) for name in study.served}
    answer = json.loads(predictor.predict(sample()).to_json())
    for model in answer["models"].values():
        assert model["evidence"]["verdict"] == "untested" and model["evidence"]["auc"] is None
    assert answer["evidence"] == answer["models"]["mlp"]["evidence"]


def sample():
    return audio.load(synthetic.sample())


def test_without_a_cough_there_is_no_answer(no_cough):
    prediction = predictors.default().predict(audio.load(no_cough))
    answer = prediction.to_dict()
    assert answer["cough"]["found"] == 0 and answer["events"] == []
    assert 0 <= answer["cough"]["probability"] < 1
    assert answer["cough"]["heard"]["code"] and answer["cough"]["heard"]["message"].endswith(".")
    assert [answer[key] for key in ("label", "probability", "evidence", "novelty")] == [None] * 4
    assert answer["models"] == {} and answer["audio"]["duration_s"] > 0
    json.loads(prediction.to_json())


def test_an_answer_can_be_forced_and_still_says_that_there_is_no_cough(no_cough):
    recording, predictor = audio.load(no_cough), predictors.default()
    forced = predictor.predict(recording, force=True)
    assert forced.models == predictor.ask(recording)
    answer = forced.to_dict()
    assert answer["label"] == forced.models["mlp"].label
    for block in forced.evidence.values():
        assert block["verdict"] == "no_basis" and "No cough is heard" in block["message"]
    assert answer["cough"] == predictor.predict(recording).cough.to_dict()
    assert [model["coughs"] for model in answer["models"].values()] == [{"not_covid": 0, "covid": 0}] * 3


def test_force_changes_nothing_where_there_is_a_cough():
    predictor = predictors.default()
    assert predictor.predict(sample(), force=True).to_dict() == predictor.predict(sample()).to_dict()


def test_each_cough_gets_its_own_answer():
    # The same cough twice, and noise, so that the answers differ.
    y = synthetic.recording(onsets_s=(0.5, 1.5), duration_s=4.0, noise=0)
    y[2 * 48_000 + 24_000 :] = 0.2 * np.random.default_rng(0).standard_normal(72_000)
    recording, predictor = recorded(y), predictors.default()
    spans = (0.5, 0.9), (1.5, 1.9), (2.8, 3.5)
    prediction = predictor.predict(recording, cough=heard(*spans))
    alone = [
        predictor.ask(recorded(y[round((start - 0.1) * 48_000) : round((end + 0.1) * 48_000)]))
        for start, end in spans
    ]
    assert prediction.each == alone
    answer = prediction.to_dict()
    assert answer["cough"] == {"found": 3, "probability": 0.9, "heard": None}
    assert len({event["models"]["cnn"]["probability"] for event in answer["events"]}) == 3
    for name, model in answer["models"].items():
        labels = [event["models"][name]["label"] for event in answer["events"]]
        assert model["coughs"] == {label: labels.count(label) for label in ("not_covid", "covid")}
        assert [event["models"][name]["probability"] for event in answer["events"]] == [
            answers[name].probability for answers in alone
        ]


def test_votes_count_labels():
    prediction = predictors.default().predict(sample(), cough=heard((0.5, 0.9), (1.4, 1.8), (2.2, 2.6)))
    yes, no = predictors.Answer("covid", 0.9, 0.5), predictors.Answer("not_covid", 0.1, 0.5)
    prediction_of_three = replace(
        prediction, each=[{"mlp": yes, "cnn": no}, {"mlp": yes, "cnn": no}, {"mlp": no, "cnn": no}]
    )
    assert prediction_of_three.votes("mlp") == {"not_covid": 1, "covid": 2}
    assert prediction_of_three.votes("cnn") == {"not_covid": 3, "covid": 0}
    assert prediction_of_three.votes("knn") is None


def test_nothing_is_measured_twice(monkeypatch):
    measured = []

    def magnitude(y, real=spectrum.magnitude):
        measured.append(y.size / spectrum.RATE)
        return real(y)

    monkeypatch.setattr(spectrum, "magnitude", magnitude)
    predictors.default().predict(sample(), cough=heard((0.5, 0.9), (1.4, 1.8)))
    # The features and the spectrogram share a transform: one for the recording, and one for each cough.
    assert measured == pytest.approx([3.5, 0.6, 0.6], abs=1e-3)


@pytest.mark.parametrize("seconds", [0.3, 3.0, 5.0, 5.01, 9.0])
def test_inputs_measured_together_are_those_measured_alone(seconds):
    recording = coughs(duration_s=seconds, onsets_s=(0.1,), rate=44_100)
    together = measure(recording, ["spectrogram", "features", "chain"])
    assert list(together) == ["spectrogram", "features", "chain"]
    for kind, value in together.items():
        assert np.array_equal(value, INPUTS[kind](recording)), kind


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", [1000, 8000, 48_000])
@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_a_short_cough_at_the_edge_is_cut_out_and_answered(rate, seconds):
    y = coughs(onsets_s=(0.0,), duration_s=1.0, rate=rate).samples[: round(seconds * rate)]
    recording = recorded(y, rate)
    # The detector's steps may end slightly after the recording.
    for start, end in ((0.0, 0.06), (seconds - 0.06, seconds), (seconds - 0.06, seconds + 0.02)):
        one = predictors.cut(recording, Event(start, end, 0.9))
        begin = max(0, round((start - predictors.MARGIN_S) * rate))
        assert np.array_equal(one.samples, y[begin : round((end + predictors.MARGIN_S) * rate)])
        assert one.rate == rate and one.samples.size
        (answers,) = predictors.default().predict(recording, cough=heard((start, end))).each
        assert all(0 <= answer.probability <= 1 for answer in answers.values())


def test_digital_silence_can_be_asked_about():
    answers = predictors.default().ask(recorded(np.zeros(8000), 8000))
    assert all(0 <= answer.probability <= 1 for answer in answers.values())


def test_models_that_are_only_measured_do_not_answer():
    predictor = predictors.default()
    assert predictor.names == ["mlp", "cnn", "knn"]
    assert set(predictor.names) < set(predictor.study.models)
    assert list(predictor.predict(sample()).models) == predictor.names


@pytest.fixture
def large(tmp_path):
    """A large file, and its study."""
    path = with_large(tmp_path)
    return path, StoredStudy(tmp_path / "kaggle-trial")


def test_a_large_model_answers_when_it_is_requested(large):
    predictor = predictors.Predictor(large[1])
    assert (predictor.names, predictor.slow) == (["mlp", "cnn", "knn"], ["big"])
    assert list(predictor.predict(sample()).models) == ["mlp", "cnn", "knn"]
    for also in (["big"], ("big",), iter(["big", "big"])):
        models = predictor.predict(sample(), also=also).models
        assert list(models) == ["mlp", "cnn", "knn", "big"]
        # The large model is a copy of the small network.
        assert models["big"] == models["cnn"]


def test_a_large_model_does_not_answer_for_each_cough(large):
    prediction = predictors.Predictor(large[1]).predict(
        sample(), cough=heard((0.5, 0.9), (1.4, 1.8)), also=["big"]
    )
    answer = prediction.to_dict()
    assert answer["models"]["big"]["coughs"] is None and sum(answer["models"]["cnn"]["coughs"].values()) == 2
    assert [list(event["models"]) for event in answer["events"]] == [["mlp", "cnn", "knn"]] * 2


def test_a_large_model_is_not_loaded_before_it_is_requested(large):
    path, study = large
    predictor = predictors.Predictor(study)
    predictor.warm_up()
    assert predictor.slow == ["big"]
    path.unlink()
    predictor.predict(sample())
    with pytest.raises(ValueError, match=r"big\.tflite"):
        predictor.predict(sample(), also=["big"])


@pytest.mark.parametrize("how", ["absent", "of another fit"])
def test_without_its_large_file_a_study_answers_with_the_other_models(large, how):
    path, study = large
    path.unlink() if how == "absent" else path.write_bytes(study.read("mlp.tflite"))
    predictor = predictors.Predictor(study)
    assert (predictor.names, predictor.slow) == (["mlp", "cnn", "knn"], [])
    assert list(predictor.predict(sample()).models) == ["mlp", "cnn", "knn"]
    with pytest.raises(predictors.UnknownModelError, match=r"model big cannot .* these can: none"):
        predictor.predict(sample(), also=["big"])


@pytest.mark.parametrize("also", [["svm"], ["mlp"], ["tree"], ["big", "svm"], [""]])
def test_a_model_that_cannot_answer_is_named(large, also):
    predictor = predictors.Predictor(large[1])
    with pytest.raises(
        predictors.UnknownModelError, match=f"model {also[-1]} cannot be asked.* these can: big"
    ):
        predictor.predict(sample(), also=also)


def test_a_long_model_name_is_shortened_in_the_message(large):
    with pytest.raises(predictors.UnknownModelError) as caught:
        predictors.Predictor(large[1]).predict(
            sample(), also=["<b>\r\nX-Injected: \x1b[31m" + "a" * 5000, "b" * 100]
        )
    assert str(caught.value).startswith("The model ?b???X-Injected? ??31maaaaaaaaaaa")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 120


def test_a_study_without_its_main_model_is_refused(large):
    study = large[1]
    study.models["mlp"]["serve"] = None
    with pytest.raises(StoreError, match="lacks its main model, mlp"):
        predictors.Predictor(study)
    del study.models["mlp"]
    with pytest.raises(StoreError, match="lacks its main model, mlp"):
        predictors.Predictor(study)
