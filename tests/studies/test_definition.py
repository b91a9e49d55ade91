"""The definition of a study: the valid content of its file, and a sentence for each error."""

import ast
import json

import pytest

from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation.protocols import WITHIN
from coughlab.studies import definition, runner
from coughlab.studies.definition import Definition, DefinitionError
from coughlab.studies.store import MODELS, StoredStudy
from coughlab.task import Task
from tests.conftest import ROOT
from tests.tasks import COVID

LEAST = """
dataset = "folder"
protocols = ["published"]

[task]
positive = "tb"
condition = "tuberculosis"
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a definition and reads it."""

    def write(text):
        path = tmp_path / "mine" / definition.FILE
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return definition.read(path)

    return write


@pytest.mark.parametrize("name", ["kaggle-trial", "covid19-cough"])
def test_the_committed_definitions_are_those_of_the_stored_studies(name):
    defined = definition.read(MODELS / name / definition.FILE)
    stored = StoredStudy(MODELS / name)
    assert defined == stored.definition
    assert (defined.dataset, defined.task, defined.main_model) == (name, COVID, "mlp")
    assert set(stored.models) == set(defined.classifiers)
    assert set(stored.predictions["protocol"]) == {*defined.protocols, "external"}
    assert stored.models[defined.main_model]["serve"]
    assert defined.licence and defined.about.strip()
    assert json.loads(json.dumps(defined.to_dict())) == stored.manifest["definition"]


def test_the_content_of_each_committed_definition():
    trial, other = (runner.defined_as(name) for name in ("kaggle-trial", "covid19-cough"))
    assert trial.protocols == ("published", "deduplicated", "person-disjoint")
    assert trial.external == ("covid19-cough", "coswara-sample") and trial.without == ()
    assert trial.classifiers == list(CLASSIFIERS) and trial.cite.startswith("Himanshu Pareek")
    assert other.protocols == ("published", "deduplicated", "source-balanced")
    assert other.without == ("cnn1", "cnn2") and other.epochs == {"cnn": 10}
    assert other.splits["knn"] == 50


def test_the_minimum_of_a_definition(write):
    defined = write(LEAST)
    assert defined == Definition("folder", Task("tb", "tuberculosis"), ("published",))
    assert defined.task.negative == "not_tb" and defined.classifiers == list(CLASSIFIERS)
    assert definition.from_dict(defined.to_dict()) == defined
    assert definition.from_dict(json.loads(json.dumps(defined.to_dict()))) == defined


def test_a_prevalence_may_be_any_number_between_0_and_1(write):
    assert write(LEAST + "prevalence = 0.3").task.prevalence == 0.3


UNUSABLE = {
    "an unknown key": ('colour = "red"\n' + LEAST, "colour: there is no such key. Known: dataset, task, "),
    "an unknown key of the task": (
        LEAST + 'label = "tb"',
        "task.label: there is no such key. Known: positive, ",
    ),
    "an unknown protocol": (
        LEAST.replace("published", "shuffled"),
        f"There is no protocol called shuffled. Known: {', '.join(WITHIN)}.",
    ),
    "a protocol that splits nothing": (LEAST.replace("published", "external"), "no protocol called external"),
    "an unknown classifier": (
        'without = ["svm", "mlp2"]\n' + LEAST,
        "no classifier called svm, mlp2. Known: mlp, ",
    ),
    "an unknown main model": ('main_model = "elm"\n' + LEAST, "There is no classifier called elm."),
    "epochs of an unknown classifier": (LEAST + "[epochs]\nelm = 3", "There is no classifier called elm."),
    "splits of an unknown classifier": (LEAST + "[splits]\nelm = 3", "There is no classifier called elm."),
    "a main model that is left out": ('without = ["mlp"]\n' + LEAST, "The main model, mlp, is left out."),
    "no task": (LEAST.partition("[task]")[0], "task is missing."),
    "no dataset": (LEAST.replace('dataset = "folder"', ""), "dataset is missing."),
    "no protocols": (LEAST.replace('protocols = ["published"]', ""), "protocols is missing."),
    "no condition": (LEAST.replace('condition = "tuberculosis"', ""), "task.condition is missing."),
    "a task that is a text": (
        'task = "tb"' + LEAST.partition("[task]")[0],
        "task must be a table, not 'tb'.",
    ),
    "a protocol outside of a list": (
        LEAST.replace('["published"]', '"published"'),
        "protocols must be a list, not 'published'.",
    ),
    "no protocol in the list": (LEAST.replace('["published"]', "[]"), "protocols must name one at least."),
    "a dataset that is a number": (LEAST.replace('"folder"', "7"), "dataset must be a text, not 7."),
    "epochs that are a number": ("epochs = 7\n" + LEAST, "epochs must be a table, not 7."),
    "epochs in words": (
        LEAST + '[epochs]\nmlp = "ten"',
        "epochs and splits must be whole numbers, 1 at least.",
    ),
    "no splits": (LEAST + "[splits]\nmlp = 0", "epochs and splits must be whole numbers, 1 at least."),
    "a prevalence in words": (LEAST + 'prevalence = "5%"', "task.prevalence must be a number, not '5%'."),
    "a prevalence of all": (LEAST + "prevalence = 1", "task.prevalence must be above 0 and below 1, not 1."),
    "one label for both classes": (LEAST + 'negative = "tb"', "Both classes of the task are called tb."),
    "no TOML": (LEAST + "negative = healthy", "cannot be read: Invalid value"),
    "no text": (b"\xff\xfe", "cannot be read: "),
    "empty": ("", "dataset is missing."),
}


@pytest.mark.parametrize(("text", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_error_message_names_the_file(write, tmp_path, text, message):
    with pytest.raises(DefinitionError) as caught:
        write(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "mine" / "study.toml")) and str(caught.value).endswith(
        "."
    )


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(DefinitionError, match=r"study\.toml cannot be read: .*No such file"):
        definition.read(tmp_path / definition.FILE)


def test_a_run_reports_what_is_wrong_in_a_definition(write, tmp_path):
    with pytest.raises(DefinitionError):
        write(LEAST.replace("published", "shuffled"))
    with pytest.raises(runner.StudyError, match=r"mine/study\.toml: There is no protocol called shuffled"):
        runner.run("mine", tmp_path, folder=tmp_path)


def test_studies_are_found_by_their_definitions_the_first_folder_first(write, tmp_path):
    write(LEAST)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / definition.FILE).write_text(LEAST)
    (tmp_path / "empty").mkdir()
    assert definition.names(tmp_path) == ["mine"]
    assert definition.names(tmp_path, MODELS) == ["covid19-cough", "kaggle-trial", "mine"]
    assert definition.find("mine", MODELS, tmp_path) == tmp_path / "mine" / definition.FILE
    assert definition.find("kaggle-trial", tmp_path, MODELS) == MODELS / "kaggle-trial" / definition.FILE
    assert definition.find("empty", tmp_path) is None
    own = tmp_path / "kaggle-trial" / definition.FILE
    own.parent.mkdir()
    own.write_text(LEAST)
    assert definition.find("kaggle-trial", tmp_path, MODELS) == own
    assert runner.defined_as("kaggle-trial", tmp_path).task.positive == "tb"


def test_no_module_but_the_case_study_s_own_names_a_study():
    # Studies are files. Only definition.py has a default name; datasets and detector contain the names of datasets.
    for path in (ROOT / "coughlab").rglob("*.py"):
        if path.name in ("case_study.py", "definition.py") or {"datasets", "detector"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not {"kaggle-trial", "covid19-cough"} & texts, path
