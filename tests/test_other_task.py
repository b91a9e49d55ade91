"""A study of another condition: from a folder and a definition to all sentences, tables and charts, without the word COVID."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.charts import calibration, comparison, features, reality, staircase
from coughlab.charts import dataset as dataset_charts
from coughlab.evaluation import bootstrap, description, scoring
from coughlab.evidence import paragraph, steps, verdict
from coughlab.serving import batch, predictors
from coughlab.serving.predictors import Predictor
from coughlab.studies import definition, runner, store
from coughlab.studies.store import StoredStudy
from tests import evidences
from tests.conftest import ROOT
from tests.recordings import heard
from tests.tasks import COVID, TUBERCULOSIS

STUDY = """
dataset = "clinic"
protocols = ["published", "deduplicated", "person-disjoint", "source-balanced"]
external = ["elsewhere"]
main_model = "knn"
about = "Made here."

[task]
positive = "tb"
negative = "healthy"
condition = "tuberculosis"
prevalence = 0.02
"""
MODELS = {"knn": "Nearest neighbour", "shortcut": "Recording chain only"}


def clinic(folder, *, sick=10, healthy=14):
    """A list of recordings from two rooms, two of each person, and their files."""
    folder.mkdir(parents=True)
    lines = ["file,label,patient,room"]
    for k in range(sick + healthy):
        onsets = (0.05, 0.3) if k < sick else (0.1,)
        y = synthetic.recording(onsets_s=onsets, duration_s=0.6 + 0.05 * (k % 5), rate=16_000, seed=k)
        soundfile.write(folder / f"{k:03}.wav", y, 16_000, subtype="PCM_16")
        lines.append(f"{k:03}.wav,{'tb' if k < sick else 'healthy'},p{k // 2},{'east' if k % 2 else 'west'}")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder


def check_neutral(*texts):
    """Check that no text contains COVID or an unfilled placeholder."""
    for text in texts:
        assert "covid" not in text.lower() and "{condition}" not in text and "None" not in text, text
    return True


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuberculosis")
    path = folder / "models" / "chest" / definition.FILE
    path.parent.mkdir(parents=True)
    path.write_text(STUDY)
    selected = runner.Selection(MODELS, n_splits=3)
    others = {"elsewhere": clinic(folder / "elsewhere", sick=4, healthy=5)}
    data = clinic(folder / "clinic")
    return StoredStudy(runner.run("chest", data, selected, others=others, folder=folder / "models"))


@pytest.fixture(scope="module")
def answer(study):
    """The prediction for a recording with two coughs."""
    recording = audio.load(synthetic.sample())
    return Predictor(study).predict(recording, cough=heard((0.5, 0.9), (1.4, 1.8)))


def test_the_study_has_its_task_and_its_tables_mark_the_positive_rows(study):
    assert study.task == TUBERCULOSIS and study.main_model == "knn"
    for table in (study.features, study.predictions):
        assert table["positive"].dtype == bool
        assert table["positive"].tolist() == (table["label"] == "tb").tolist()
        assert set(table["label"]) == {"tb", "healthy"}
    assert set(study.predictions["protocol"]) == {
        "published",
        "deduplicated",
        "person-disjoint",
        "source-balanced",
        "external",
    }


def test_the_scores_are_those_of_the_same_study_of_covid(study):
    rows = study.table(store.PREDICTIONS)
    same = rows.assign(label=[COVID.label(positive) for positive in rows["positive"]])
    for function in (scoring.per_split, scoring.scores, bootstrap.table):
        pd.testing.assert_frame_equal(function(rows, study.thresholds), function(same, study.thresholds))
    each = scoring.per_split(rows, study.thresholds)
    counts = each.query("protocol == 'published' and role == 'test'")[["positives", "negatives"]]
    assert set(counts.itertuples(index=False, name=None)) == {(3, 5)}
    pd.testing.assert_frame_equal(study.table(store.METRICS), each)


def test_the_card_speaks_of_the_condition(study):
    card = study.read("README.md").decode()
    assert "24 rows (10 tb, 14 healthy)" in card
    assert "how often the model ranks a recording with tuberculosis above one without" in card
    assert check_neutral(card, json.dumps(study.manifest))


@pytest.mark.parametrize("model", MODELS)
def test_the_paragraph_and_the_steps_speak_of_the_condition(study, model):
    reasons = steps.ruled_out(study.features, study.task)
    table = steps.steps(study.name, study.evidence, model, "roc_auc", reasons=reasons)
    text = paragraph.paragraph(table, study=study.name, model=model, title=MODELS[model], task=study.task)
    assert "the recording with tuberculosis" in text and "recordings from elsewhere" in text
    figure = staircase.staircase(table, study=study.name, title=MODELS[model], task=study.task)
    overview = reality.overview(table.assign(model=model), MODELS, "roc_auc")
    assert check_neutral(text, *table["title"], *table["reason"], figure.to_json(), overview.to_json())


def test_false_alarms_are_among_people_without_the_condition():
    evidence = pd.DataFrame(
        [
            evidences.row("knn", "published", "chest", (0.9, 0.8, 0.95)),
            evidences.row("knn", "external", "choir", positives=0, specificity=(0.7, 0.6, 0.8)),
        ]
    )
    reasons = {"source-balanced": "Because."}
    table = steps.steps("chest", evidence, "knn", "roc_auc", reasons=reasons)
    text = paragraph.paragraph(table, study="chest", model="knn", title="Neighbour", task=TUBERCULOSIS)
    assert "all of them without tuberculosis, it predicts tuberculosis for 30% of the recordings" in text
    figure = staircase.staircase(table, study="chest", title="Neighbour", task=TUBERCULOSIS)
    assert "False alarms among people without tuberculosis" in figure.to_json()
    assert figure.layout.xaxis2.title.text == "share predicted tuberculosis"
    assert check_neutral(text, figure.to_json())


@pytest.mark.parametrize("label", TUBERCULOSIS.labels)
@pytest.mark.parametrize("protocol", ["external", "person-disjoint"])
@pytest.mark.parametrize("auc", [(0.9, 0.8, 0.95), (0.55, 0.4, 0.7), (0.3, 0.2, 0.4)])
@pytest.mark.parametrize("ratio", [(3.0, 2.0, 4.0), (1.1, 0.8, 1.5), (np.nan, np.nan, np.nan)])
def test_the_verdict_speaks_of_the_condition(study, answer, label, protocol, auc, ratio):
    estimate = verdict.decision.Estimate
    known = verdict.Known(
        "chest",
        "Neighbour",
        protocol,
        "elsewhere",
        100,
        90,
        1,
        estimate(*auc),
        {"tb": estimate(*ratio), "healthy": estimate(*ratio)},
        None,
    )
    familiar = answer.novelty.__class__(0.5, "familiar", "Not unlike those.", "chest")
    block = verdict.block(study, known, label, familiar)
    sentence = verdict.meaning(block, label, study.task)
    assert block["prevalence"] == 0.02 and "tuberculosis of 2.0%" in sentence
    assert f'the result "{"tuberculosis" if label == "tb" else "not tuberculosis"}"' in sentence
    assert check_neutral(block["message"], sentence)


def test_the_agreement_of_coughs_and_recording_uses_the_words_of_the_task():
    votes = [
        (
            {"tb": 2, "healthy": 1},
            "healthy",
            "2 of 3 coughs say tuberculosis, the recording says not tuberculosis",
        ),
        ({"tb": 0, "healthy": 2}, "tb", "Both coughs say not tuberculosis, the recording says tuberculosis"),
        ({"tb": 1, "healthy": 0}, "tb", "The cough and the recording: tuberculosis"),
    ]
    assert [verdict.agreement(*vote, TUBERCULOSIS) for *vote, _ in votes] == [
        sentence for *_, sentence in votes
    ]


def test_an_answer_has_the_labels_of_the_task(study, answer):
    content = answer.to_dict()
    assert content["model"] == "knn" and content["label"] == answer.models["knn"].label in TUBERCULOSIS.labels
    assert content["evidence"]["prevalence"] == 0.02
    assert list(content["models"]["knn"]["coughs"]) == ["healthy", "tb"]
    assert sum(content["models"]["knn"]["coughs"].values()) == 2
    assert content["novelty"]["trained_on"] == "chest"
    # None means unknown.
    assert "covid" not in answer.to_json().lower()
    # The nearest neighbour classifies its training rows correctly.
    path = study.folder.parent.parent / "clinic" / "000.wav"
    assert Predictor(study).predict(audio.load(path), force=True).to_dict()["label"] == "tb"


def answers():
    """Answers of two models and one error, in the format of the API."""
    models = {}
    for name, label in (("knn", "tb"), ("forest", "healthy")):
        evidence = {"verdict": "weak", "message": "Weak.", "prevalence": 0.02, "probability_after": 0.1}
        coughs = {"healthy": 0, "tb": 0} | {label: 1}
        models[name] = {"label": label, "probability": 0.6, "coughs": coughs, "evidence": evidence}
    both = {
        "file": "a.wav",
        "label": "tb",
        "probability": 0.6,
        "model": "knn",
        "cough": {"found": 1, "probability": 0.99, "heard": None},
        "evidence": models["knn"]["evidence"],
        "novelty": None,
        "models": models,
        "audio": {"duration_s": 1.0},
        "events": [{"start_s": 0.1, "end_s": 0.5, "probability": 0.99}],
        "quality": [],
        "study": "chest",
        "version": "1",
    }
    return [both, batch.failure("b.wav", "not_audio", "This is not a sound file.")]


def test_many_answers_are_counted_and_doubted_in_the_words_of_the_task():
    made = answers()
    titles = {name: title for name, (title, _) in batch.kinds(TUBERCULOSIS).items()}
    assert titles["tb"] == "Said to be tuberculosis" and titles["healthy"] == "Said to be not tuberculosis"
    count = batch.counts(made, TUBERCULOSIS)
    assert (count["tb"], count["healthy"], count["errors"], count["look"]) == (1, 0, 1, 2)
    (doubt,) = batch.doubts(made[0], TUBERCULOSIS)
    assert doubt == "The models disagree: not tuberculosis say forest; tuberculosis say knn."
    assert check_neutral(*titles.values(), batch.summary(count), doubt)


def test_the_table_of_many_answers_has_the_labels_in_its_columns(study):
    table = batch.table(answers(), TUBERCULOSIS, ["knn", "tree"])
    assert table.loc[0, ["label", "knn_label", "forest_label"]].tolist() == ["tb", "tb", "healthy"]
    assert table.loc[0, ["knn_coughs_tb", "knn_coughs_healthy", "forest_coughs_healthy"]].tolist() == [
        1,
        0,
        1,
    ]
    assert [name for name in table if name.startswith("tree_")] == [
        "tree_label",
        "tree_probability",
        "tree_verdict",
        "tree_coughs_tb",
        "tree_coughs_healthy",
    ]
    assert check_neutral(*table.columns, table.drop(columns=["novelty", "novelty_p"]).to_csv())


def test_the_charts_have_the_words_of_the_task(study):
    task, table = study.task, study.features
    two = {"titles": ("Loudness", "MFCC 1"), "task": task}
    rows = study.predictions.query("model == 'knn' and protocol == 'published' and role == 'test'")
    counts = pd.DataFrame({"tp": [2], "fn": [1]}, index=["knn"])
    values = table[list(features.acoustic.NAMES)].to_numpy()[0]
    figures = {
        "bars": dataset_charts.bars(description.counts(table, "source"), task),
        "distribution": dataset_charts.distribution(table, "rms", "Loudness", task),
        "scatter": dataset_charts.scatter(table, table["rms"], table["mfcc1"], **two),
        "features": features.figure(values, table, task),
        "found": comparison.found_and_missed(counts, MODELS, task),
        "curve": comparison.curve("roc", rows, {"knn": MODELS["knn"]}),
        "calibration": calibration.reliability(rows, task=task),
    }
    for name in ("bars", "distribution", "scatter", "features"):
        names = [trace.name or "" for trace in figures[name].data]
        assert any(name.startswith("tuberculosis") for name in names), names
        assert any(name.startswith("not tuberculosis") for name in names), names
    assert figures["found"].layout.xaxis.title.text == "share of the tuberculosis recordings tested"
    assert figures["calibration"].layout.yaxis.title.text == "share that had tuberculosis"
    columns = features.table(values, table, task).columns
    assert "not tuberculosis, 95th percentile" in columns and "tuberculosis, 5th percentile" in columns
    assert check_neutral(*columns, *(figure.to_json() for figure in figures.values()))


@pytest.mark.parametrize("name", ["reality", "compare", "matrices", "splits", "explore", "clinicians"])
def test_the_pages_have_the_words_of_the_task(study, name, monkeypatch):
    for module in (predictors, store):
        monkeypatch.setattr(module, "MODELS", study.folder.parent)
    monkeypatch.setattr(predictors, "STUDY", study.name)
    page = AppTest.from_file(str(ROOT / f"pages/{name}.py"), default_timeout=60).run()
    assert not page.exception
    texts = [
        element.value
        for kind in ("markdown", "text", "info", "warning", "error", "caption")
        for element in page.get(kind)
    ]
    charts = [chart.proto.spec for chart in page.get("plotly_chart")]
    components = [component.proto.json for component in page.get("bidi_component")]
    assert texts and check_neutral(*texts, *charts, *components)
