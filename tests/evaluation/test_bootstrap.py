"""Intervals over people, compared with SciPy's bootstrap, scikit-learn's weighted scores and published formulas."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    recall_score,
    roc_auc_score,
)
from statsmodels.stats.proportion import proportion_confint

from coughlab.evaluation import bootstrap, intervals, scoring
from coughlab.evaluation.metrics import EVIDENCE
from tests.tables import with_positive


def table(label, probability, *, person=None, split=0, **columns):
    """Test rows of one model, by default with one recording per person."""
    n = len(label)
    person = np.arange(n) if person is None else np.asarray(person)
    default = {
        "model": "mlp",
        "protocol": "published",
        "tested_on": "here",
        "role": "test",
        "split": split,
        "row": np.arange(n),
        "recording": [f"r{k}.wav" for k in range(n)],
        "person": [f"p{k}" for k in person],
        "label": np.where(label, "covid", "not_covid"),
        "probability": probability,
    }
    return with_positive(pd.DataFrame(default | columns))


def scattered(seed, n=60, splits=3, people=25):
    """Rows with ties, several recordings per person, people with both classes, and several splits."""
    rng = np.random.default_rng(seed)
    label, person = rng.random(n) < 0.4, rng.integers(people, size=n)
    parts = []
    for split in range(splits):
        chosen = np.sort(rng.choice(n, n // 2, replace=False))
        probability = np.round(np.clip(0.3 * label[chosen] + 0.7 * rng.random(n // 2), 0, 1), 1)
        rows = {"row": chosen, "recording": [f"r{k}.wav" for k in chosen]}
        parts.append(table(label[chosen], probability, person=person[chosen], split=split, **rows))
    return pd.concat(parts, ignore_index=True)


def one(rows, threshold=0.5, **options):
    (row,) = bootstrap.table(rows, {"mlp": threshold}, **options).to_dict("records")
    return row


@pytest.mark.parametrize("seed", range(2))
def test_each_replicate_is_scikit_learn_s_score_with_people_as_weights(seed):
    rows = scattered(seed)
    positive = (rows["label"] == "covid").to_numpy()
    replicates = bootstrap._bootstrap(rows, 0.5, 8, 7)
    (weights,) = bootstrap.draws(rows["person"], positive, 8, 7)
    predicted = rows["probability"].to_numpy() >= 0.5
    for b in range(8):
        expected = []
        for split in range(3):
            of = (rows["split"] == split).to_numpy() & (weights[:, b] > 0)
            y, p, c, w = positive[of], rows["probability"][of], predicted[of], weights[of, b]
            if y.all() or not y.any():
                pytest.fail("This seed was chosen so that every replicate has both classes in every split.")
            expected.append(
                [
                    roc_auc_score(y, p, sample_weight=w),
                    accuracy_score(y, c, sample_weight=w),
                    balanced_accuracy_score(y, c, sample_weight=w),
                    recall_score(y, c, sample_weight=w),
                    recall_score(~y, ~c, sample_weight=w),
                    brier_score_loss(y, p, sample_weight=w),
                ]
            )
        got = [replicates[score][b] for score in EVIDENCE]
        assert got == pytest.approx(np.mean(expected, axis=0), rel=1e-12)


def test_people_are_drawn_whole_and_every_kind_keeps_its_size():
    rows = scattered(0)
    positive = (rows["label"] == "covid").to_numpy()
    (weights,) = bootstrap.draws(rows["person"], positive, 200)
    people = rows.assign(positive=positive).groupby("person")["positive"].agg(["first", "min", "max"])
    by_person = pd.DataFrame(weights).groupby(rows["person"])
    assert (by_person.max() == by_person.min()).all(axis=None)
    kinds = people["min"] * 1 + people["max"]
    assert kinds.nunique() == 3
    for kind, members in kinds.groupby(kinds):
        assert (by_person.first().loc[members.index].sum() == len(members)).all(), kind
    # The expected count is 1 per person; the mean of 200 counts of variance 1 differs by more than 0.4 once in 10^8.
    assert by_person.first().mean(axis=1).between(0.6, 1.4).all()


def test_draws_do_not_depend_on_the_order_of_the_rows_or_on_the_chunks(monkeypatch):
    rows = scattered(1)
    positive = (rows["label"] == "covid").to_numpy()
    (weights,) = bootstrap.draws(rows["person"], positive, 50, 3)
    order = np.random.default_rng(0).permutation(len(rows))
    (turned,) = bootstrap.draws(rows["person"].to_numpy()[order], positive[order], 50, 3)
    assert (turned == weights[order]).all()
    monkeypatch.setattr(bootstrap, "CHUNK", 7 * len(rows))
    chunks = list(bootstrap.draws(rows["person"], positive, 50, 3))
    assert len(chunks) == 8 and (np.hstack(chunks) == weights).all()
    (other,) = bootstrap.draws(rows["person"][:5], positive[:5], 50, 4)
    assert (other != weights[:5]).any()


@pytest.mark.parametrize("kind", ["str", "category"])
def test_values_are_the_means_over_splits_and_the_order_does_not_matter(kind):
    rows = pd.concat([scattered(1), scattered(2).assign(model="cnn")], ignore_index=True)
    rows = pd.concat([rows, rows.assign(role="train", probability=0.1)], ignore_index=True)
    thresholds = {"mlp": 0.5, "cnn": 0.31}
    words = ["model", "protocol", "tested_on", "role", "person", "label", "recording"]
    result = bootstrap.table(rows.astype(dict.fromkeys(words, kind)), thresholds, n_boot=50)
    expected = scoring.spread(scoring.per_split(rows, thresholds)).xs("test", level="role")
    assert list(result["model"]) == ["mlp", "cnn"]
    for row in result.to_dict("records"):
        mean = expected.loc[row["model"], "published", "here"]
        for score in set(EVIDENCE) - {"balanced_accuracy"}:
            assert row[score] == pytest.approx(mean[score], rel=1e-12)
            assert row[f"{score}_low"] <= row[score] <= row[f"{score}_high"] > row[f"{score}_low"]
        assert row["balanced_accuracy"] == pytest.approx((row["sensitivity"] + row["specificity"]) / 2)
    shuffled = bootstrap.table(rows.sample(frac=1, random_state=0), thresholds, n_boot=50)
    pd.testing.assert_frame_equal(
        shuffled.sort_values("model", ignore_index=True),
        result.sort_values("model", ignore_index=True),
        rtol=1e-12,
    )


def test_the_counts_of_a_row():
    label, person = [1, 1, 0, 0, 0, 0], [0, 0, 1, 2, 2, 3]
    rows = table(label, [0.9] * 6, person=person, recording=list("aabcde"))
    twice = pd.concat([rows, rows.assign(split=1), rows.assign(role="train", split=2)], ignore_index=True)
    row = one(twice, n_boot=20)
    of = ["splits", "recordings", "people", "positives", "negatives"]
    assert [row[name] for name in of] == [2, 5, 4, 1, 4]
    assert row["majority"] == pytest.approx(4 / 6)


def test_on_one_recording_a_person_it_is_scipy_s_percentile_bootstrap():
    rng = np.random.default_rng(5)
    pos, neg = rng.normal(0.62, 0.15, 70).clip(0, 1), rng.normal(0.45, 0.15, 110).clip(0, 1)
    rows = table([1] * 70 + [0] * 110, np.concatenate([pos, neg]))
    replicates = bootstrap._bootstrap(rows, 0.5, 4000, 0)

    def statistics(a, b, axis=-1):
        a, b = np.asarray(a), np.asarray(b)
        auc = (a[..., :, None] > b[..., None, :]).mean(axis=(-1, -2))
        squared = (((a - 1) ** 2).sum(axis=-1) + (b**2).sum(axis=-1)) / 180
        return np.stack([auc, (a >= 0.5).mean(axis=-1), (b < 0.5).mean(axis=-1), squared])

    theirs = scipy.stats.bootstrap(
        (pos, neg), statistics, n_resamples=4000, method="percentile", batch=500, rng=np.random.default_rng(1)
    ).confidence_interval
    values = statistics(pos, neg)
    # Limits of 4,000 replicates vary by a few hundredths of the interval's width, shares by one recording.
    steps = {"roc_auc": 0, "sensitivity": 1 / 70, "specificity": 1 / 110, "brier": 0}
    for k, (score, step) in enumerate(steps.items()):
        low, high = bootstrap.interval(replicates[score], values[k])
        near = max(0.06 * (theirs.high[k] - theirs.low[k]), 1.01 * step)
        assert [low, high] == pytest.approx([theirs.low[k], theirs.high[k]], abs=near)


def test_copies_of_a_recording_do_not_narrow_the_interval_but_more_people_do():
    once = scattered(3, n=60, splits=1, people=60)
    copies = pd.concat([once.assign(row=once["row"] + 100 * k) for k in range(4)], ignore_index=True)
    others = pd.concat([once.assign(person=once["person"] + f"-{k}") for k in range(4)], ignore_index=True)
    result = {
        name: one(rows, n_boot=400) for name, rows in [("once", once), ("copies", copies), ("others", others)]
    }
    for score in EVIDENCE:
        ends = {name: np.array([row[f"{score}_low"], row[f"{score}_high"]]) for name, row in result.items()}
        assert ends["copies"] == pytest.approx(ends["once"], abs=1e-12)
        assert np.diff(ends["others"]) < 0.7 * np.diff(ends["once"])


def test_one_person_with_most_recordings_widens_the_bootstrap_beyond_the_formula():
    label, recording = np.arange(200) < 50, np.arange(200)
    # One healthy person has 75 recordings, all of them false positives; all other rows are correct.
    probability = np.where(label | (recording >= 125), 0.9, 0.1)
    crowded = one(table(label, probability, person=np.minimum(recording, 125)))
    alone = one(table(label, probability))
    widths = [row["specificity_high"] - row["specificity_low"] for row in (crowded, alone)]
    assert widths[0] > 3 * widths[1] and crowded["specificity_low"] < 0.3


@pytest.mark.parametrize("right", [True, False])
def test_a_perfect_score_and_a_wholly_wrong_one_have_the_interval_of_the_formulas(right):
    label = np.arange(20) < 5
    row = one(table(label, np.where(label == right, 0.9, 0.1)), n_boot=100)
    expected = {
        "accuracy": proportion_confint(20 * right, 20, method="wilson"),
        "sensitivity": proportion_confint(5 * right, 5, method="wilson"),
        "specificity": proportion_confint(15 * right, 15, method="wilson"),
        "roc_auc": intervals.newcombe(float(right), 5, 15),
    }
    for score, (low, high) in expected.items():
        assert row[score] == right
        assert [row[f"{score}_low"], row[f"{score}_high"]] == pytest.approx([low, high], abs=1e-12)
    # Square-and-add method at the limit: half the hypotenuse of the two distances, from Wilson's n / (n + z^2).
    z2 = scipy.stats.norm.isf(0.025) ** 2
    distance = np.hypot(z2 / (5 + z2), z2 / (15 + z2)) / 2
    ends = [row["balanced_accuracy_low"], row["balanced_accuracy_high"]]
    assert ends == pytest.approx([1 - distance, 1] if right else [0, distance], abs=1e-12)


def test_without_positive_people_only_some_scores_are_defined():
    row = one(table(np.zeros(12), [0.9] * 3 + [0.1] * 9), n_boot=50)
    for score in ("roc_auc", "balanced_accuracy", "sensitivity"):
        assert np.isnan([row[score], row[f"{score}_low"], row[f"{score}_high"]]).all()
    assert row["specificity"] == row["accuracy"] == 0.75 and row["majority"] == 1.0
    assert row["specificity_low"] < 0.75 < row["specificity_high"]
    assert row["brier_low"] < row["brier"] < row["brier_high"]
    assert row["positives"] == 0
    row = one(table(np.ones(3), [0.9] * 3), n_boot=20)
    assert row["sensitivity"] == 1.0 and row["sensitivity_low"] < 0.5 and np.isnan(row["specificity"])


def test_a_split_without_a_class_counts_where_it_can():
    both = table([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.6])
    healthy = table([0, 0], [0.1, 0.1], person=[2, 3], split=1)
    row = one(pd.concat([both, healthy], ignore_index=True), n_boot=50)
    assert (row["sensitivity"], row["specificity"], row["roc_auc"]) == (0.5, 0.75, 0.75)
    # The people of the healthy split can be drawn without those of the other split, and vice versa.
    assert row["specificity_low"] < 0.75 < row["specificity_high"]


def test_one_person_and_no_person():
    row = one(table([1], [0.9]), n_boot=20)
    assert (row["sensitivity"], row["people"]) == (1.0, 1) and row["sensitivity_low"] < 0.3
    empty = bootstrap.table(table([], []), {})
    assert len(empty) == 0 and list(empty.columns) == list(one(table([1, 0], [0.9, 0.1]), n_boot=2))


def test_a_95_percent_interval_holds_the_truth_about_as_often():
    # 150 datasets with 20 people with COVID and 40 without, each with three highly correlated recordings.
    rng, parts = np.random.default_rng(0), []
    label = np.arange(60) < 20
    shift = scipy.stats.norm.ppf(0.75) * np.sqrt(2)
    for k in range(150):
        z = (
            rng.normal(size=(60, 1)) * np.sqrt(0.8)
            + rng.normal(size=(60, 3)) * np.sqrt(0.2)
            + shift * label[:, None]
        )
        probability = scipy.stats.norm.cdf(z - shift / 2).ravel()
        parts.append(
            table(np.repeat(label, 3), probability, person=np.repeat(np.arange(60), 3), model=f"m{k}")
        )
    result = bootstrap.table(pd.concat(parts), {f"m{k}": 0.5 for k in range(150)}, n_boot=100)
    truth = {"roc_auc": 0.75, "sensitivity": scipy.stats.norm.cdf(shift / 2)}
    for score, value in truth.items():
        covered = result[f"{score}_low"].le(value) & result[f"{score}_high"].ge(value)
        assert covered.mean() > 0.9


def test_what_cannot_be_scored_is_refused():
    rows = table([1, 0], [0.9, 0.1])
    with pytest.raises(ValueError, match="lacks person"):
        bootstrap.table(rows.drop(columns="person"), {"mlp": 0.5})
    with pytest.raises(ValueError, match="No threshold given for mlp"):
        bootstrap.table(rows, {})
    with pytest.raises(ValueError, match="positive of the predictions table must be true or false"):
        bootstrap.table(rows.assign(positive="cat"), {"mlp": 0.5})
