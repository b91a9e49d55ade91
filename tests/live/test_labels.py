"""What the page says of the labels on "Live" and of those of a file."""

from dataclasses import replace

import pytest

from coughlab.live import labels
from coughlab.serving import predictors


def test_the_figures_are_of_the_models_that_are_asked_and_fit_together():
    measured, study = labels.MEASURED, predictors.default().study
    assert measured.models == labels.identity(study)
    assert list(measured.live) == ["any", *predictors.default().names]
    for share in (*measured.live.values(), measured.whole):
        assert 0 <= share.low <= share.share <= share.high <= 1
        assert 0 < share.of <= measured.coughs
    one = [measured.live[name].changed for name in predictors.default().names]
    assert len({share.of for share in measured.live.values()}) == 1
    assert max(one) <= measured.live["any"].changed <= sum(one)
    assert measured.people <= measured.recordings <= measured.coughs


def test_the_sentence_has_the_figures(monkeypatch):
    study = predictors.default().study
    share = labels.Share(75, 1000, 0.0612, 0.0901)
    any_and_each = {"any": share, "mlp": labels.Share(20, 1000, 0.01, 0.03)}
    sizes = {"coughs": 1030, "recordings": 411, "people": 363, "whole": labels.Share(206, 1030, 0.1, 0.3)}
    monkeypatch.setattr(labels, "MEASURED", replace(labels.MEASURED, live=any_and_each, **sizes))
    said = labels.sentence(study)
    assert "on 1,030 coughs in 411 recordings of 363 people (covid19-cough, kaggle-trial" in said
    assert said.startswith("About one cough in 13 gets another answer here")
    assert "30 coughs were not found" in said and "found to 40 ms" in said
    assert "7.5% (95% interval 6.1% to 9.0%); by model, MLP 2.0%" in said
    assert "about one time in 5, 20.0% (95% interval 10.0% to 30.0%)" in said


@pytest.mark.parametrize("changed", [True, False])
def test_figures_of_other_models_are_not_shown(monkeypatch, changed):
    study = predictors.default().study
    if changed:
        hashes = study.hashes | {study.models["knn"]["serve"]: "0" * 64}
        monkeypatch.setattr(study, "hashes", hashes)
    assert ("was not measured" in labels.sentence(study)) == changed
    assert ("95% interval" in labels.sentence(study)) != changed
