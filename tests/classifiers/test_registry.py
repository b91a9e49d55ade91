"""A classifier is one module: a new one is found, listed, and loaded by its own loader."""

from coughlab import classifiers
from coughlab.classifiers import CLASSIFIERS, Classifier
from coughlab.system.registry import discover

MODULE = """
from coughlab.classifiers.base import Classifier

LOUD = Classifier(
    order=15,
    name="loud",
    title="Loudness alone",
    summary="Says {condition} where the recording is loud.",
    input="features",
    fit=lambda inputs, labels, **options: None,
    load=lambda content: lambda x: float(x[1] > float(content)),
)
"""


def test_a_new_module_is_found_in_its_place(tmp_path, monkeypatch):
    (tmp_path / "loud.py").write_text(MODULE)
    monkeypatch.setattr(classifiers, "__path__", [*classifiers.__path__, str(tmp_path)])
    found = discover("coughlab.classifiers", Classifier)
    assert list(found)[:3] == ["mlp", "loud", "cnn"] and found.keys() - CLASSIFIERS.keys() == {"loud"}
    answer = found["loud"].load(b"0.5")
    assert (answer([0, 0.7]), answer([0, 0.2])) == (1.0, 0.0)


def test_every_classifier_is_complete():
    for name, classifier in CLASSIFIERS.items():
        assert classifier.name == name and classifier.title and classifier.summary.endswith(".")
        assert callable(classifier.fit) and callable(classifier.load)
