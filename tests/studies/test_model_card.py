"""The texts about both studies in the cards and the README."""

import pytest

from coughlab.studies import model_card, store
from coughlab.studies.store import MODELS, StoredStudy
from tests.conftest import ROOT


@pytest.fixture(scope="module", params=store.names())
def study(request):
    return StoredStudy(MODELS / request.param)


def reality(study):
    return model_card.reality(study.evidence, {name: model["title"] for name, model in study.models.items()})


def test_the_readme_and_the_card_have_the_reality_table_of_every_model(study):
    table = reality(study)
    for text in ((ROOT / "README.md").read_text(), study.read("README.md").decode()):
        assert table in text
    assert len(table.splitlines()) == 3 + len(study.models)


def test_a_cell_is_the_evidence(study):
    head, _, _, first, *_ = reality(study).splitlines()
    cells = dict(zip(head.split(" | "), first.split(" | "), strict=True))
    row = study.evidence.query("model == 'mlp' and protocol == 'deduplicated'").iloc[0]
    expected = f"{row['roc_auc']:.2f} ({row['roc_auc_low']:.2f} to {row['roc_auc_high']:.2f})"
    assert cells["without copies: AUC"] == expected
    healthy = study.evidence.query("model == 'mlp' and tested_on == 'coswara-sample'").iloc[0]
    assert cells["on coswara-sample: specificity |"].startswith(f"{healthy['specificity']:.0%}")


def test_the_card_says_that_no_answer_is_a_diagnosis(study):
    text = study.read("README.md").decode()
    assert "Not a medical device" in text and f"{len(study.features)} rows" in text
    left_out = study.manifest["left_out"]
    assert (f"{left_out} listed" in text) == bool(left_out)


def test_the_card_is_what_is_written_from_the_tables(study):
    tables = study.features, study.table(store.PREDICTIONS), study.evidence
    assert model_card.write(study.manifest, *tables).encode() == study.read("README.md")
