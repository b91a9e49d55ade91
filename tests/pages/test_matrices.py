"""The page "Matrices", run by Streamlit without a browser; what the component draws is tested in a browser."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from coughlab.evaluation import confusion, roc
from coughlab.serving import predictors
from coughlab.text import counted
from pages.components import threshold
from pages.shared.text import literal
from tests.conftest import ROOT


def page(**query):
    page = AppTest.from_file(str(ROOT / "pages/matrices.py"), default_timeout=60)
    page.query_params.update(query)
    return page.run()


def rows(model, split=None, role="test"):
    predictions = predictors.default().study.predictions
    rows = predictions.query("model == @model and role == @role and protocol == 'published'")
    return rows if split is None else rows[rows["split"] == split]


def sent(page):
    """The data that the component gets."""
    (component,) = page.get("bidi_component")
    return json.loads(component.proto.json)


def test_without_a_link_all_splits_are_shown_at_one_half():
    shown = sent(page())
    assert (shown["threshold"], shown["cell"]) == (0.5, None)
    assert shown["name"].startswith("mlp-published-kaggle-trial-all-") and shown["name"].endswith("-test")
    study, of = predictors.default().study, rows("mlp")
    assert f"{of['recording'].nunique()} recordings of {of['person'].nunique()} people" in shown["measured"]
    assert study.name in shown["measured"]


@pytest.mark.parametrize("role", ["test", "train"])
@pytest.mark.parametrize("split", [None, 1])
def test_the_component_is_given_the_matrices_of_every_threshold(role, split):
    query = {"model": "knn", "rows": "train"} if role == "train" else {}
    model = "knn" if role == "train" else "mlp"
    shown = sent(page(**query, **({} if split is None else {"split": str(split + 1)})))
    of = rows(model, split, role)
    expected = confusion.at(of, shown["thresholds"])
    assert set(confusion.STEPS) <= set(shown["thresholds"])
    assert shown["cells"]["count"] == expected["count"].tolist()
    for name in ("share", "low", "high"):
        given = np.array(shown["cells"][name], dtype=float)
        np.testing.assert_allclose(given, expected[name], atol=10.0**-threshold.DIGITS)
    assert shown["youden"] == roc.youden(of["positive"], of["probability"])
    assert {kept["sensitivity"]: kept["threshold"] for kept in shown["kept"]} == {
        least: roc.keeping_sensitivity(of["positive"], of["probability"], least)
        for least in threshold.SENSITIVITIES
    }
    # Every offered threshold is in the list of thresholds.
    assert {shown["youden"], *(kept["threshold"] for kept in shown["kept"])} <= set(shown["thresholds"])


@pytest.mark.parametrize("cell", confusion.CELLS)
def test_a_link_to_a_cell_lists_its_recordings(cell):
    shown = page(model="knn", split="2", threshold="0.25", cell=cell)
    assert not shown.exception
    assert (sent(shown)["threshold"], sent(shown)["cell"]) == (0.25, cell)
    found = confusion.cell(rows("knn", 1), 0.25, cell)
    sentence = f"{counted(found['recording'].nunique(), 'recording')} at threshold 0.25, the surest first."
    assert sentence in [element.value for element in shown.markdown]
    if found.empty:
        assert not shown.dataframe
        return
    (table,) = shown.dataframe
    assert table.value["recording"].tolist() == found["recording"].tolist()
    assert table.value["probability"].tolist() == found["probability"].tolist()
    assert set(table.value["label"]) == {"COVID" if cell in ("tp", "fn") else "not COVID"}


def test_for_all_splits_the_page_shows_how_often_a_recording_was_in_the_cell():
    (table,) = page(model="knn", cell="tp").dataframe
    of = rows("knn")
    for line in table.value.itertuples():
        tested = of[of["recording"] == line.recording]
        assert (
            line.in_splits
            == ", ".join(
                str(split + 1) for split in sorted(tested.loc[tested["probability"] >= 0.5, "split"])
            )
            or tested["row"].nunique() > 1
        )


@pytest.mark.parametrize(
    "query",
    [
        {"threshold": "high"},
        {"threshold": "nan"},
        {"threshold": "1.5"},
        {"threshold": "-inf"},
        {"cell": "all"},
        {"model": "oracle", "split": "999", "rows": "some"},
    ],
)
def test_unknown_values_in_an_address_are_reported_and_the_default_is_shown(query):
    shown = page(**query)
    assert not shown.exception and not shown.error
    for (key, asked), warning in zip(query.items(), shown.warning, strict=True):
        assert f"asks for {key}={literal(asked)}, which is unknown here" in warning.value
    assert (sent(shown)["threshold"], sent(shown)["cell"]) == (0.5, None)
    assert sent(shown)["name"].startswith("mlp-published-kaggle-trial-all-")


def test_a_threshold_between_the_slider_s_steps_is_kept():
    shown = sent(page(threshold="0.123456789"))
    assert shown["threshold"] == 0.123456789 and 0.123456789 in shown["thresholds"]


def test_without_the_dataset_s_folder_the_page_says_how_to_set_it(monkeypatch):
    monkeypatch.delenv("COUGHLAB_DATA", raising=False)
    shown = page(cell="tp")
    assert any("COUGHLAB_DATA" in element.value for element in shown.markdown)
    assert not shown.get("audio")


def test_every_model_has_its_matrices():
    for name, entry in predictors.default().study.models.items():
        shown = page(model=name)
        assert not shown.exception and not shown.error
        assert entry["title"] in sent(shown)["curves"]["roc"]["lines"][1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (1.0, "1"),
        (0.12345678, "0.1235"),
        (0.9999994, "0.999999"),
        (2e-9, "2 × 10⁻⁹"),
    ],
)
def test_a_threshold_is_shown_short_but_never_as_0_or_1_where_it_is_not(value, shown):
    assert threshold.label(value) == shown
