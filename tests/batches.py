"""Made-up answers to recordings in the format of the API."""

from coughlab.serving import batch

VERDICT = {
    "verdict": "weak",
    "message": "On elsewhere (90 recordings of 80 people), MLP has an ROC AUC of 0.62.",
    "prevalence": 0.05,
    "probability_after": 0.07,
    "probability_after_interval": [0.06, 0.08],
    "likelihood_ratio": 1.4,
    "likelihood_ratio_interval": [1.2, 1.6],
}


def coughs(file, *, says=("not_covid", "not_covid"), certainty=(0.99, 0.95), quality=(), verdict="weak"):
    """The answer for a recording with coughs; `says`: labels of mlp and cnn, `certainty`: probability of each cough."""
    evidence = VERDICT | {"verdict": verdict}
    chance = {"not_covid": 0.25, "covid": 0.75}
    labels = dict(zip(("mlp", "cnn"), says, strict=True))
    return {
        "file": file,
        "label": labels["mlp"],
        "probability": chance[labels["mlp"]],
        "model": "mlp",
        "cough": {"found": len(certainty), "probability": max(certainty), "heard": None},
        "evidence": evidence,
        "novelty": {"p": 0.4, "code": "familiar", "message": "Not unlike those.", "trained_on": "here"},
        "models": {
            name: {
                "label": label,
                "probability": chance[label],
                "threshold": 0.5,
                "coughs": {"not_covid": 0, "covid": 0} | {label: len(certainty)},
                "evidence": evidence,
            }
            for name, label in labels.items()
        },
        "audio": {"duration_s": 1.5, "sample_rate": 8000, "channels": 1, "codec": "pcm_16"},
        "events": [
            {
                "start_s": k / 2,
                "end_s": k / 2 + 0.25,
                "probability": probability,
                "models": {
                    name: {"label": label, "probability": chance[label]} for name, label in labels.items()
                },
            }
            for k, probability in enumerate(certainty)
        ],
        "quality": [{"code": code, "message": f"It is {code}."} for code in quality],
        "study": "here",
        "version": "1",
    }


def no_cough(file, *, probability=0.01, quality=()):
    """The answer for a recording without a cough."""
    return coughs(file, certainty=(0,), quality=quality) | {
        "label": None,
        "probability": None,
        "cough": {
            "found": 0,
            "probability": probability,
            "heard": {"code": "voice", "message": "It sounds like speech."},
        },
        "evidence": None,
        "novelty": None,
        "models": {},
        "events": [],
    }


def failed(file):
    """The answer for a file that is not a recording."""
    return batch.failure(file, "not_audio", "This is not a sound file.")
